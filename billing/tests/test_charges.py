"""`charge`: hold and capture at once, once for each reference, or nothing at all."""

import pytest

from accounts.models import ApiKey
from billing.credits import charge, hold, refund, release
from billing.models import Hold, LedgerEntry, Wallet
from genvid.errors import Conflict, InsufficientCredits, KeyLimitReached
from genvid.tests.asserts import nothing_changes, the_ledger_proves
from genvid.tests.factories import Person, make_key

pytestmark = pytest.mark.django_db
SPEECH = "speech:1"


@pytest.fixture(autouse=True)
def ledger_proves_at_the_end(db):
    yield
    assert the_ledger_proves()


def pay(person: Person, amount: int, reference: str = SPEECH, **options) -> int:
    return charge(person.account.pk, amount, reference=reference, description="3 minutes of speech", **options)


def test_a_charge_takes_the_credits_at_once(owner):
    assert pay(owner, 3, provider_microdollars=120_000) == 3
    entry, row = LedgerEntry.objects.get(kind="charge"), Hold.objects.get()
    assert (owner.wallet.balance, owner.wallet.held) == (27, 0)
    assert (entry.credits, entry.balance_after, entry.reference) == (-3, 27, SPEECH)
    assert entry.description == "3 minutes of speech"
    assert (row.status, row.amount, row.captured, row.provider_microdollars) == ("captured", 3, 3, 120_000)


@pytest.mark.parametrize("again", [3, 1, 40], ids=["same", "less", "more than there is"])
def test_a_reference_is_charged_once_and_tells_what_it_cost(owner, again):
    pay(owner, 3)
    with nothing_changes():
        assert pay(owner, again) == 3


def test_a_reference_that_was_given_back_is_not_charged_again(owner):
    pay(owner, 3)
    refund(SPEECH, 3, description="Sorry")
    with nothing_changes():
        assert pay(owner, 3) == 3


def test_the_last_credit_may_be_charged(owner):
    assert (pay(owner, 30), owner.wallet.balance) == (30, 0)


def test_a_charge_of_more_than_there_is_changes_nothing(owner):
    hold(owner.account.pk, 10, reference="video:1")
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        pay(owner, 21)
    assert refusal.value.message == "This needs 21 credits; 20 are available."


def test_what_costs_nothing_leaves_its_cost_and_no_entry(owner):
    assert pay(owner, 0, provider_microdollars=40_000) == 0
    assert (Hold.objects.get().provider_microdollars, LedgerEntry.objects.filter(kind="charge").exists()) == (
        40_000,
        False,
    )


def test_who_owes_credits_gets_nothing_more_not_even_for_nothing(owner):
    Wallet.objects.filter(pk=owner.account.pk).update(held=31)
    with nothing_changes(), pytest.raises(InsufficientCredits):
        pay(owner, 0)
    Wallet.objects.filter(pk=owner.account.pk).update(held=0)


def test_an_unknown_cost_is_no_cost_of_nothing(owner):
    pay(owner, 3, provider_microdollars=None)
    pay(owner, 3, "speech:2", provider_microdollars=0)
    costs = Hold.objects.order_by("reference").values_list("provider_microdollars", flat=True)
    assert list(costs) == [None, 0]


def test_a_charge_counts_against_the_limit_of_its_key(owner):
    key = make_key(owner, monthly_credit_limit=5).key
    pay(owner, 3, key_id=key.pk)
    pay(owner, 3, key_id=key.pk)
    with nothing_changes(), pytest.raises(KeyLimitReached):
        pay(owner, 3, "speech:2", key_id=key.pk)
    assert (ApiKey.objects.get(pk=key.pk).credits_used, Hold.objects.get().api_key_id) == (3, key.pk)


def test_the_reference_of_another_account_is_a_conflict(owner, outsider):
    pay(owner, 3)
    with nothing_changes(), pytest.raises(Conflict):
        pay(outsider, 3)


def test_a_reference_that_is_held_is_a_conflict(owner):
    hold(owner.account.pk, 3, reference=SPEECH)
    with nothing_changes(), pytest.raises(Conflict):
        pay(owner, 3)


def test_a_reference_that_was_released_is_a_conflict(owner):
    hold(owner.account.pk, 3, reference=SPEECH)
    release(SPEECH)
    with nothing_changes(), pytest.raises(Conflict):
        pay(owner, 3)
