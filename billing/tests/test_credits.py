from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.credits import adjust, available, capture, expire, hold, refund, release, wallet_state
from billing.models import CreditLot, Hold, LedgerEntry, Wallet
from billing.tests.debts import make_debt
from genvid.errors import Conflict, InsufficientCredits
from genvid.tests.asserts import nothing_changes, the_ledger_proves
from genvid.tests.factories import grant

pytestmark = pytest.mark.django_db
SOON, LATER = (datetime(2100, 1, day, tzinfo=UTC) for day in (1, 2))


@pytest.fixture(autouse=True)
def ledger_proves_at_the_end(db):
    yield
    assert the_ledger_proves()


def wallet_of(person) -> tuple[int, int]:
    """Balance and held."""
    return person.wallet.balance, person.wallet.held


def entries_of(person) -> list[tuple[str, int, int]]:
    """Kind, credits and balance after, oldest first."""
    rows = LedgerEntry.objects.filter(wallet=person.account.pk).order_by("sequence")
    return list(rows.values_list("kind", "credits", "balance_after"))


def lots_of(person) -> dict[str, int]:
    """What is left of each lot; the welcome credits are called "signup"."""
    lots = CreditLot.objects.filter(wallet=person.account.pk).values_list("reference", "remaining")
    return {reference.partition(":")[0]: remaining for reference, remaining in lots}


def test_a_new_account_starts_with_its_welcome_credits(owner):
    assert (wallet_of(owner), entries_of(owner)) == ((30, 0), [("grant", 30, 30)])


def test_a_hold_sets_credits_aside_and_moves_no_balance(owner):
    hold(owner.account.pk, 10, reference="a")
    assert (wallet_of(owner), available(owner.account.pk), len(entries_of(owner))) == ((30, 10), 20, 1)


def test_a_hold_may_take_the_last_credit(owner):
    hold(owner.account.pk, 30, reference="a")
    assert available(owner.account.pk) == 0


def test_a_hold_of_more_than_there_is_is_refused(owner):
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        hold(owner.account.pk, 31, reference="a")
    assert refusal.value.message == "This needs 31 credits; 30 are available."


def test_a_hold_does_not_see_what_others_hold(owner):
    hold(owner.account.pk, 20, reference="a")
    with nothing_changes(), pytest.raises(InsufficientCredits):
        hold(owner.account.pk, 11, reference="b")


def test_a_hold_leaves_other_wallets_alone(owner, outsider):
    hold(owner.account.pk, 10, reference="a")
    assert (wallet_of(outsider), wallet_state()) == ((30, 0), (10, 0))


def test_the_same_hold_again_changes_nothing(owner):
    hold(owner.account.pk, 10, reference="a")
    with nothing_changes():
        hold(owner.account.pk, 10, reference="a")


def test_a_reference_held_for_another_amount_is_a_conflict(owner):
    hold(owner.account.pk, 10, reference="a")
    with nothing_changes(), pytest.raises(Conflict):
        hold(owner.account.pk, 11, reference="a")


def test_a_reference_held_by_another_account_is_a_conflict(owner, outsider):
    hold(owner.account.pk, 10, reference="a")
    with nothing_changes(), pytest.raises(Conflict):
        hold(outsider.account.pk, 10, reference="a")


def test_a_settled_hold_is_not_taken_again(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 10)
    with nothing_changes():
        hold(owner.account.pk, 10, reference="a")


def test_a_negative_hold_is_impossible(owner):
    with nothing_changes(), pytest.raises(IntegrityError), transaction.atomic():
        hold(owner.account.pk, -1, reference="a")


def test_a_wallet_that_does_not_exist_holds_nothing():
    with nothing_changes(), pytest.raises(Wallet.DoesNotExist):
        hold(uuid4(), 1, reference="a")


def test_a_capture_charges_what_it_cost_and_frees_the_rest(owner):
    hold(owner.account.pk, 10, reference="a")
    assert capture("a", 7, description="A video") == 7
    assert (wallet_of(owner), entries_of(owner)[1:]) == ((23, 0), [("charge", -7, 23)])


def test_a_capture_is_written_down_with_its_reference(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7, description="A video")
    entry = LedgerEntry.objects.get(kind="charge")
    assert (entry.reference, entry.description, entry.sequence) == ("a", "A video", 2)


def test_a_capture_takes_at_most_what_is_held(owner):
    hold(owner.account.pk, 10, reference="a")
    assert capture("a", 11) == 10
    assert wallet_of(owner) == (20, 0)


def test_a_capture_of_nothing_leaves_no_entry(owner):
    hold(owner.account.pk, 10, reference="a")
    assert capture("a", 0) == 0
    assert (wallet_of(owner), len(entries_of(owner))) == ((30, 0), 1)


def test_the_same_capture_again_charges_nothing_more(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    with nothing_changes():
        assert capture("a", 9) == 7


def test_a_release_gives_all_back(owner):
    hold(owner.account.pk, 10, reference="a")
    assert release("a") is True
    assert (wallet_of(owner), len(entries_of(owner))) == ((30, 0), 1)


def test_the_same_release_again_changes_nothing(owner):
    hold(owner.account.pk, 10, reference="a")
    release("a")
    with nothing_changes():
        assert release("a") is False


def test_after_a_release_nothing_is_captured(owner):
    hold(owner.account.pk, 10, reference="a")
    release("a")
    with nothing_changes():
        assert capture("a", 7) == 0


def test_after_a_capture_nothing_is_released(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    with nothing_changes():
        assert release("a") is False


@pytest.mark.parametrize("settle", [release, lambda reference: capture(reference, 1)], ids=["release", "capture"])
def test_what_was_never_held_is_not_settled(owner, settle):
    with nothing_changes(), pytest.raises(Hold.DoesNotExist):
        settle("never")


def test_a_grant_adds_a_lot_and_an_entry(owner):
    assert grant(owner, 100, reference="pack:1", expires_at=SOON, description="A pack") is True
    assert (wallet_of(owner), entries_of(owner)[1:]) == ((130, 0), [("grant", 100, 130)])
    lot = CreditLot.objects.get(reference="pack:1")
    assert (lot.source, lot.granted, lot.remaining, lot.expires_at) == ("pack", 100, 100, SOON)


def test_the_same_grant_again_changes_nothing(owner):
    grant(owner, 100, reference="pack:1")
    with nothing_changes():
        assert grant(owner, 100, reference="pack:1") is False


@pytest.mark.parametrize("amount", [0, -1])
def test_a_grant_of_nothing_changes_nothing(owner, amount):
    with nothing_changes():
        assert grant(owner, amount) is False


def test_lots_are_used_soonest_expiring_first(owner):
    grant(owner, 10, reference="later", expires_at=LATER)
    grant(owner, 10, reference="soon", expires_at=SOON)
    hold(owner.account.pk, 25, reference="a")
    capture("a", 15)
    assert lots_of(owner) == {"signup": 30, "later": 5, "soon": 0}


def test_lots_without_an_end_are_used_last_and_oldest_first(owner):
    grant(owner, 10, reference="soon", expires_at=SOON)
    grant(owner, 10, reference="endless")
    hold(owner.account.pk, 45, reference="a")
    capture("a", 45)
    assert lots_of(owner) == {"signup": 0, "soon": 0, "endless": 5}


def test_a_lot_past_its_date_expires(owner):
    grant(owner, 10, reference="soon", expires_at=SOON)
    assert expire(SOON) == 10
    assert (lots_of(owner), entries_of(owner)[2:]) == ({"signup": 30, "soon": 0}, [("expiry", -10, 30)])


def test_a_lot_before_its_date_does_not_expire(owner):
    grant(owner, 10, expires_at=SOON)
    with nothing_changes():
        assert expire(SOON - timedelta(microseconds=1)) == 0


def test_expiring_again_changes_nothing(owner):
    grant(owner, 10, expires_at=SOON)
    expire(SOON)
    with nothing_changes():
        assert expire(LATER) == 0


def test_expiry_uses_the_present_time_by_default(owner):
    grant(owner, 10, expires_at=timezone.now() - timedelta(seconds=1))
    assert expire() == 10


def test_expiry_reaches_every_wallet(owner, outsider):
    grant(owner, 10, expires_at=SOON)
    grant(outsider, 5, expires_at=SOON)
    assert expire(SOON) == 15


@pytest.mark.parametrize(("held", "expired", "left"), [(0, 10, 0), (4, 6, 4), (10, 0, 10), (35, 0, 10)])
def test_what_a_video_holds_does_not_expire_under_it(owner, held, expired, left):
    grant(owner, 10, reference="soon", expires_at=SOON)
    hold(owner.account.pk, held, reference="a")
    assert expire(SOON) == expired
    assert (wallet_of(owner), lots_of(owner)["soon"]) == ((40 - expired, held), left)


def test_of_two_lots_that_are_due_the_hold_keeps_the_sooner(owner):
    grant(owner, 10, reference="later", expires_at=LATER)
    grant(owner, 10, reference="soon", expires_at=SOON)
    hold(owner.account.pk, 12, reference="a")
    assert expire(LATER) == 8
    assert lots_of(owner) == {"signup": 30, "later": 2, "soon": 10}


def test_what_a_video_gives_back_expires_with_the_next_sweep(owner):
    grant(owner, 10, reference="soon", expires_at=SOON)
    hold(owner.account.pk, 4, reference="a")
    expire(SOON)
    release("a")
    assert (expire(SOON), wallet_of(owner), lots_of(owner)["soon"]) == (4, (30, 0), 0)


def test_credits_held_before_their_date_pay_for_the_video_after_it(owner):
    grant(owner, 10, reference="soon", expires_at=SOON)
    hold(owner.account.pk, 10, reference="a")
    expire(SOON)
    capture("a", 10)
    assert (wallet_of(owner), lots_of(owner)) == ((30, 0), {"signup": 30, "soon": 0})


def test_a_grant_pays_the_debt_first(owner):
    make_debt(owner, 40)
    grant(owner, 100, reference="pack")
    assert (wallet_of(owner), lots_of(owner)["pack"]) == ((60, 0), 60)


def test_a_grant_smaller_than_the_debt_leaves_nothing_to_spend(owner):
    make_debt(owner, 40)
    grant(owner, 10, reference="pack")
    assert (wallet_of(owner), lots_of(owner)["pack"]) == ((-30, 0), 0)


def test_a_wallet_in_debt_cannot_hold_credits(owner):
    make_debt(owner, 1)
    with nothing_changes(), pytest.raises(InsufficientCredits):
        hold(owner.account.pk, 1, reference="a")


def test_a_wallet_in_debt_expires_no_credits(owner):
    grant(owner, 10, expires_at=SOON)
    make_debt(owner, 5)
    with nothing_changes():
        assert expire(SOON) == 0


def test_a_refund_of_a_charge_is_a_lot_of_its_own(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    assert refund("a", 7, description="Sorry") is True
    assert (wallet_of(owner), lots_of(owner)) == ((30, 0), {"signup": 23, "refund": 7})
    assert entries_of(owner)[2:] == [("refund", 7, 30)]


def test_no_more_is_refunded_than_was_charged_though_more_was_held(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    with nothing_changes(), pytest.raises(Conflict):
        refund("a", 8, description="Sorry")


def test_a_charge_is_refunded_once(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    refund("a", 3, description="Sorry")
    with nothing_changes():
        assert refund("a", 4, description="Sorry again") is False


def test_a_refund_pays_the_debt_first(owner):
    hold(owner.account.pk, 10, reference="a")
    capture("a", 7)
    make_debt(owner, 4)
    refund("a", 7, description="Sorry")
    assert (wallet_of(owner), lots_of(owner)["refund"]) == ((3, 0), 3)


def test_an_adjustment_up_is_a_lot_of_its_own(owner):
    assert adjust(owner.account.pk, 5, reference="staff", description="Sorry") is True
    assert (wallet_of(owner), lots_of(owner)["staff"]) == ((35, 0), 5)
    assert entries_of(owner)[1:] == [("adjustment", 5, 35)]


def test_an_adjustment_up_pays_the_debt_first(owner):
    make_debt(owner, 4)
    adjust(owner.account.pk, 5, reference="staff", description="Sorry")
    assert (wallet_of(owner), lots_of(owner)["staff"]) == ((1, 0), 1)


def test_an_adjustment_down_takes_from_the_lots(owner):
    adjust(owner.account.pk, -5, reference="staff", description="Mistake")
    assert (wallet_of(owner), lots_of(owner)) == ((25, 0), {"signup": 25})


def test_an_adjustment_takes_nothing_that_is_held(owner):
    hold(owner.account.pk, 20, reference="a")
    with nothing_changes(), pytest.raises(InsufficientCredits):
        adjust(owner.account.pk, -11, reference="staff", description="Mistake")


def test_the_same_adjustment_again_changes_nothing(owner):
    adjust(owner.account.pk, 5, reference="staff", description="Sorry")
    with nothing_changes():
        assert adjust(owner.account.pk, 5, reference="staff", description="Sorry") is False


def test_an_adjustment_by_nothing_changes_nothing(owner):
    with nothing_changes():
        assert adjust(owner.account.pk, 0, reference="staff", description="Nothing") is False


def test_a_rolled_back_transaction_moves_no_credits(owner):
    with nothing_changes(), pytest.raises(ZeroDivisionError), transaction.atomic():
        hold(owner.account.pk, 10, reference="a")
        capture("a", 10)
        raise ZeroDivisionError
