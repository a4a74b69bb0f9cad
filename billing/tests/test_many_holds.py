"""`hold_many` and `release_many`, as a batch of videos needs them."""

import pytest

from billing.credits import available, capture, hold, hold_many, release, release_many
from billing.models import Hold
from genvid.errors import InsufficientCredits, KeyLimitReached
from genvid.tests.asserts import nothing_changes, queries_of, the_ledger_proves
from genvid.tests.factories import make_key

pytestmark = pytest.mark.django_db
THREE = {"a": 5, "b": 7, "c": 8}


@pytest.fixture(autouse=True)
def ledger_proves_at_the_end(db):
    yield
    assert the_ledger_proves()


def statuses() -> dict[str, str]:
    return dict(Hold.objects.values_list("reference", "status"))


def test_hold_many_holds_each_amount_under_its_reference(owner):
    hold_many(owner.account.pk, THREE)
    assert dict(Hold.objects.values_list("reference", "amount")) == THREE
    assert available(owner.account.pk) == 10


def test_hold_many_holds_all_or_none(owner):
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        hold_many(owner.account.pk, THREE | {"d": 11})
    assert refusal.value.message == "This needs 31 credits; 30 are available."


def test_credits_that_other_holds_have_are_not_held_again(owner):
    hold(owner.account.pk, 11, reference="other")
    with nothing_changes(), pytest.raises(InsufficientCredits) as refusal:
        hold_many(owner.account.pk, THREE)
    assert refusal.value.message == "This needs 20 credits; 19 are available."


def test_a_keys_limit_covers_all_or_none(owner):
    key = make_key(owner, monthly_credit_limit=19).key
    with nothing_changes(), pytest.raises(KeyLimitReached):
        hold_many(owner.account.pk, THREE, key_id=key.pk)


def test_release_many_frees_the_credits(owner):
    hold_many(owner.account.pk, THREE)
    release_many(owner.account.pk, ["a", "c"])
    assert statuses() == {"a": "released", "b": "open", "c": "released"}
    assert available(owner.account.pk) == 23


def test_release_many_leaves_settled_holds(owner):
    hold_many(owner.account.pk, THREE)
    capture("a", 4)
    release("b")
    release_many(owner.account.pk, list(THREE))
    assert (statuses(), available(owner.account.pk)) == ({"a": "captured", "b": "released", "c": "released"}, 26)
    with nothing_changes(but=Hold):
        release_many(owner.account.pk, list(THREE))


def test_release_many_leaves_holds_of_other_accounts(owner, outsider):
    hold(outsider.account.pk, 5, reference="theirs")
    with nothing_changes():
        release_many(owner.account.pk, ["theirs"])


def test_released_holds_return_credits_to_the_keys_limit(owner):
    key = make_key(owner, monthly_credit_limit=20).key
    hold_many(owner.account.pk, THREE, key_id=key.pk)
    release_many(owner.account.pk, ["a", "b"])
    key.refresh_from_db()
    assert key.credits_used == 8


def test_hold_many_takes_as_many_queries_for_a_hundred_as_for_one(owner):
    hold_many(owner.account.pk, {f"r{n}": 0 for n in range(101)})
    one = queries_of(lambda: release_many(owner.account.pk, ["r0"]))
    assert queries_of(lambda: release_many(owner.account.pk, [f"r{n}" for n in range(1, 101)])) == one
