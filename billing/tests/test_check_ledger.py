from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from billing.credits import capture, hold
from billing.ledger.ledger_check import check_all_wallets
from billing.models import CreditLot, Hold, LedgerEntry, Wallet
from billing.tests.debts import make_debt

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(owner, outsider):
    """An owner with a charge and an open hold, beside an outsider with neither."""
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    hold(owner.account.pk, 5, reference="b")
    return owner


def check_ledger() -> str:
    out = StringIO()
    call_command("check_ledger", stdout=out)
    return out.getvalue()


def found(person) -> list[tuple[str, int, int]]:
    assert {each.account_id for each in check_all_wallets()} == {str(person.account.pk)}
    return [(each.what, each.expected, each.found) for each in check_all_wallets()]


def test_a_good_ledger_proves(busy):
    assert check_ledger() == "The ledger proves: 2 wallets.\n"


def test_an_empty_ledger_proves(db):
    assert check_ledger() == "The ledger proves: 0 wallets.\n"


def test_a_ledger_in_debt_proves(busy, outsider):
    make_debt(outsider, 5)
    assert check_ledger() == "The ledger proves: 2 wallets.\n"


def test_a_meddled_balance_is_found(busy):
    Wallet.objects.filter(pk=busy.account.pk).update(balance=F("balance") + 1)
    assert found(busy) == [("balance", 23, 24)]


def test_a_meddled_sum_of_holds_is_found(busy):
    Wallet.objects.filter(pk=busy.account.pk).update(held=6)
    assert found(busy) == [("held", 5, 6)]


def test_a_hold_that_vanished_is_found(busy):
    Hold.objects.filter(reference="b").delete()
    assert found(busy) == [("held", 0, 5)]


def test_a_meddled_lot_is_found(busy):
    CreditLot.objects.filter(wallet=busy.account.pk).update(remaining=22)
    assert found(busy) == [("lots", 23, 22)]


def test_a_lot_that_vanished_is_found(busy):
    CreditLot.objects.filter(wallet=busy.account.pk).delete()
    assert found(busy) == [("lots", 23, 0)]


def test_a_meddled_running_balance_is_found(busy):
    LedgerEntry.objects.filter(wallet=busy.account.pk, sequence=1).update(balance_after=31)
    assert found(busy) == [("balance_after of entry 1", 30, 31)]


def test_a_meddled_entry_is_found(busy):
    LedgerEntry.objects.filter(wallet=busy.account.pk, sequence=2).update(credits=-6)
    assert found(busy) == [
        ("balance", 24, 23),
        ("lots", 24, 23),
        ("balance_after of entry 2", 24, 23),
        ("capture of a", 6, 7),
    ]


def test_an_entry_that_vanished_is_found(busy):
    LedgerEntry.objects.filter(wallet=busy.account.pk, sequence=1).delete()
    assert [each[0] for each in found(busy)] == ["balance", "lots", "balance_after of entry 2"]


def test_check_ledger_names_account_and_figures_and_fails(busy):
    Wallet.objects.filter(pk=busy.account.pk).update(balance=1)
    with pytest.raises(CommandError) as failure:
        check_ledger()
    assert str(failure.value) == f"The ledger does not prove:\n{busy.account.pk}: balance should be 23, is 1"
    assert failure.value.returncode == 1


@pytest.mark.parametrize("captured", [0, 6])
def test_a_meddled_capture_is_found(busy, captured):
    Hold.objects.filter(reference="a").update(captured=captured)
    assert len(found(busy)) == 1
