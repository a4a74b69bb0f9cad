"""`new_hold`: the amount follows the account's overrun factor, and the caller inserts the row."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import ApiKey
from billing.credits import new_hold
from billing.models import Hold, Wallet
from genvid.errors import InsufficientCredits, KeyLimitReached
from genvid.tests.asserts import nothing_changes, queries_of, the_ledger_proves
from genvid.tests.factories import make_key

pytestmark = pytest.mark.django_db


def ten_at(factor: Decimal) -> int:
    return int(10 * factor)


def raise_factor(person, factor: str, *, days_ago: int = 1) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Wallet.objects.filter(pk=person.account.pk).update(overrun_factor=Decimal(factor), overrun_at=at)


def take(person, **options) -> Hold:
    made = new_hold(person.account.pk, ten_at, reference="a", **options)
    made.save(force_insert=True)
    return made


def test_a_new_hold_takes_its_credits_in_one_statement(owner):
    assert queries_of(lambda: new_hold(owner.account.pk, ten_at, reference="b")) == 3  # with a savepoint of the test
    take(owner)
    assert (owner.wallet.held, Hold.objects.get().amount, Hold.objects.get().overrun_factor) == (20, 10, 1)


@pytest.mark.parametrize(("days_ago", "held"), [(1, 15), (29, 15), (31, 10)])
def test_a_raised_factor_raises_the_amount_for_thirty_days(owner, days_ago, held):
    raise_factor(owner, "1.50", days_ago=days_ago)
    made = take(owner)
    made.refresh_from_db()
    assert (owner.wallet.held, made.amount, made.overrun_factor) == (held, held, Decimal(held) / 10)
    assert the_ledger_proves()


def test_a_wallet_that_does_not_suffice_is_refused(owner):
    Wallet.objects.filter(pk=owner.account.pk).update(held=21)
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        take(owner)
    assert refusal.value.message == "This needs 10 credits; 9 are available."


@pytest.mark.parametrize(("held", "available"), [(20, 10), (21, 9)])
def test_a_wallet_that_does_not_suffice_for_the_raised_amount_is_refused(owner, held, available):
    raise_factor(owner, "1.50")
    Wallet.objects.filter(pk=owner.account.pk).update(held=held)
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        take(owner)
    assert refusal.value.message == f"This needs 15 credits; {available} are available."


def test_a_new_hold_counts_against_the_limit_of_its_key(owner):
    key = make_key(owner, monthly_credit_limit=15).key
    take(owner, key_id=key.pk)
    with nothing_changes(), pytest.raises(KeyLimitReached):
        new_hold(owner.account.pk, ten_at, reference="b", key_id=key.pk)
    assert ApiKey.objects.get(pk=key.pk).credits_used == 10
