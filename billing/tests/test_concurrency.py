"""Parallel credit operations on the real database: every credit is taken once and every hold settled once."""

from collections import Counter
from functools import partial

import pytest
from django.db.models import Sum
from django.utils import timezone

from billing.credits import adjust, capture, charge, expire, hold, release
from billing.ledger.ledger_check import check_all_wallets
from billing.models import CreditLot, Hold, LedgerEntry
from genvid.errors import InsufficientCredits
from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import grant, make_caller
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(results) -> Counter:
    return Counter(type(result).__name__ if isinstance(result, Exception) else result for result in results)


def test_of_twenty_holds_on_ten_credits_ten_succeed():
    owner = make_caller(balance=10)
    results = in_parallel([partial(hold, owner.account.pk, 1, reference=f"a{n}") for n in range(20)])
    assert outcomes(results) == {None: 10, InsufficientCredits.__name__: 10}
    assert (owner.wallet.held, Hold.objects.count(), the_ledger_proves()) == (10, 10, True)


def test_of_many_holds_with_one_reference_one_is_taken():
    owner = make_caller(balance=100)
    results = in_parallel([partial(hold, owner.account.pk, 7, reference="a")] * 12)
    assert (outcomes(results), owner.wallet.held, Hold.objects.count()) == ({None: 12}, 7, 1)


def test_of_many_captures_one_charges():
    owner = make_caller(balance=30)
    hold(owner.account.pk, 10, reference="a")
    results = in_parallel([partial(capture, "a", 6)] * 12)
    assert (outcomes(results), owner.wallet.balance, owner.wallet.held) == ({6: 12}, 24, 0)
    assert LedgerEntry.objects.filter(kind="charge").count() == 1


def pay(owner, amount: int, reference: str) -> int:
    return charge(owner.account.pk, amount, reference=reference, description="Speech")


def test_of_many_charges_with_one_reference_one_is_taken():
    owner = make_caller(balance=30)
    results = in_parallel([partial(pay, owner, 7, "speech:1")] * 12)
    assert (outcomes(results), owner.wallet.balance, owner.wallet.held) == ({7: 12}, 23, 0)
    assert (LedgerEntry.objects.filter(kind="charge").count(), the_ledger_proves()) == (1, True)


def test_the_last_credits_pay_one_of_two_charges_and_its_repetitions():
    owner = make_caller(balance=7)
    results = in_parallel([partial(pay, owner, 7, f"speech:{number % 2}") for number in range(12)])
    assert outcomes(results) == {7: 6, InsufficientCredits.__name__: 6}
    assert (owner.wallet.balance, owner.wallet.held, the_ledger_proves()) == (0, 0, True)


def test_of_twenty_charges_on_ten_credits_ten_succeed():
    owner = make_caller(balance=10)
    results = in_parallel([partial(pay, owner, 1, f"speech:{number}") for number in range(20)])
    assert outcomes(results) == {1: 10, InsufficientCredits.__name__: 10}
    assert (owner.wallet.balance, Hold.objects.count(), the_ledger_proves()) == (0, 10, True)


def test_of_many_releases_one_counts():
    owner = make_caller(balance=30)
    hold(owner.account.pk, 10, reference="a")
    results = in_parallel([partial(release, "a")] * 12)
    assert (outcomes(results), owner.wallet.held) == ({True: 1, False: 11}, 0)


def test_a_capture_and_a_release_at_once_settle_once():
    owner = make_caller(balance=30)
    hold(owner.account.pk, 10, reference="a")
    in_parallel([partial(capture, "a", 10), partial(release, "a")] * 6)
    settled = Hold.objects.get()
    assert (owner.wallet.balance, owner.wallet.held) == (30 - settled.captured, 0)
    assert the_ledger_proves()


def test_of_many_grants_with_one_reference_one_counts():
    owner = make_caller(balance=30)
    results = in_parallel([partial(grant, owner, 50, reference="pack:1")] * 12)
    assert (outcomes(results), owner.wallet.balance) == ({True: 1, False: 11}, 80)


def test_of_many_adjustments_with_one_reference_one_counts():
    owner = make_caller(balance=30)
    call = partial(adjust, owner.account.pk, -5, reference="staff", description="Mistake")
    assert (outcomes(in_parallel([call] * 8)), owner.wallet.balance) == ({True: 1, False: 7}, 25)


def test_of_many_sweeps_one_takes_a_lot_back():
    owner = make_caller(balance=30)
    grant(owner, 10, expires_at=timezone.now())
    assert sum(in_parallel([expire] * 8)) == 10
    assert (owner.wallet.balance, the_ledger_proves()) == (30, True)


def spend(owner, reference: str) -> None:
    hold(owner.account.pk, 2, reference=reference)
    capture(reference, 1)


def test_the_ledger_proves_after_parallel_operations_of_all_kinds():
    owner = make_caller(balance=100)
    calls = [partial(spend, owner, f"a{n}") for n in range(6)]
    calls += [partial(grant, owner, 5, reference=f"pack:{n}", expires_at=timezone.now()) for n in range(3)]
    calls += [expire] * 3 + [partial(pay, owner, 2, f"speech:{n % 2}") for n in range(4)]
    assert [each for each in in_parallel(calls) if isinstance(each, Exception)] == []
    expire()
    perishable = CreditLot.objects.filter(expires_at__isnull=False).aggregate(left=Sum("remaining"))
    assert (LedgerEntry.objects.filter(kind="charge").count(), perishable, owner.wallet.held) == (8, {"left": 0}, 0)
    assert the_ledger_proves()


def test_operations_on_two_wallets_do_not_deadlock():
    people = [make_caller(balance=20), make_caller(balance=20)]
    calls = [partial(spend, people[n % 2], f"a{n}") for n in range(12)]
    assert outcomes(in_parallel(calls)) == {None: 12}
    assert [person.wallet.balance for person in people] == [14, 14]


def test_the_ledger_check_finds_nothing_while_money_moves():
    owner = make_caller(balance=1000)

    def move(number: int) -> None:
        for turn in range(15):
            spend(owner, f"a{number}.{turn}")

    def check() -> list[str]:
        return [str(found) for _ in range(40) for found in check_all_wallets()]

    results = in_parallel([partial(move, 0), partial(move, 1), check])
    assert results == [None, None, []]
