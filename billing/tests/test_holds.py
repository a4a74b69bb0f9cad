"""Closing a hold, in one statement on PostgreSQL and in steps elsewhere, with one outcome."""

import pytest

from billing.credits import hold
from billing.enums import HoldStatus
from billing.ledger import holds
from billing.models import Hold
from genvid.tests.asserts import nothing_changes, statements_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[holds._close_in_one_statement, holds._close_in_steps], ids=["statement", "steps"])
def close(request, owner):
    """Closes the hold of 10 credits of a wallet of 30."""
    hold(owner.account.pk, 10, reference="a")

    def close(charge: int, status: str = HoldStatus.CAPTURED) -> holds.ClosedHold | None:
        return request.param("a", charge, {"status": str(status), "provider_microdollars": 7})

    return close


def outcome_of(owner) -> tuple[str, int, int, int, int, bool]:
    """Of the hold: status, captured and our cost; of the wallet: balance and held; whether it has its moment."""
    row = Hold.objects.get()
    wallet = owner.wallet
    return row.status, row.captured, row.provider_microdollars, wallet.balance, wallet.held, row.settled_at is not None


def test_a_closed_hold_is_charged_and_frees_the_rest(close, owner):
    closed = close(4)
    assert (closed.hold.amount, closed.hold.captured, closed.balance) == (10, 4, 26)
    assert outcome_of(owner) == ("captured", 4, 7, 26, 0, True)


def test_a_charge_above_the_hold_is_cut_to_it(close, owner):
    assert close(11).hold.captured == 10
    assert outcome_of(owner) == ("captured", 10, 7, 20, 0, True)


def test_a_released_hold_charges_nothing(close, owner):
    assert close(0, HoldStatus.RELEASED).balance == 30
    assert outcome_of(owner) == ("released", 0, 7, 30, 0, True)


def test_a_hold_is_closed_once(close):
    close(4)
    with nothing_changes():
        assert close(5) is None


def test_other_holds_of_the_wallet_stay(close, owner):
    hold(owner.account.pk, 5, reference="b")
    close(4)
    assert (owner.wallet.held, Hold.objects.get(reference="b").status) == (5, "open")


def test_what_an_overrun_needs_to_know_comes_with_the_hold(close, owner):
    held, row = close(4).hold, Hold.objects.get()
    names = ("pk", "wallet_id", "reference", "overrun_factor", "api_key_id", "created_at")
    assert [getattr(held, name) for name in names] == [getattr(row, name) for name in names]


def test_a_hold_is_closed_in_one_statement_on_postgresql(owner):
    hold(owner.account.pk, 10, reference="a")
    assert len(statements_of(lambda: holds.close_hold("a", charge=4))) == 1
