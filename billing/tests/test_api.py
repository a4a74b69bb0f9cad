from datetime import UTC, datetime

import pytest

from billing.credits import capture, hold
from billing.models import LedgerEntry
from genvid.tests.asserts import data_of, queries_once_warm, refusal_of
from genvid.tests.factories import grant

pytestmark = pytest.mark.django_db
WALLET, LEDGER = "/api/v1/billing/wallet", "/api/v1/billing/ledger"


def as_sent(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_the_wallet_shows_balance_held_and_available(owner):
    hold(owner.account.pk, 10, reference="a")
    assert data_of(owner.client.get(WALLET)) == {"balance": 30, "held": 10, "available": 20, "expiring": []}


def test_the_wallet_lists_expiring_credits_soonest_first(owner):
    grant(owner, 20, expires_at=datetime(2100, 2, 1, tzinfo=UTC))
    grant(owner, 10, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    assert data_of(owner.client.get(WALLET))["expiring"] == [
        {"credits": 10, "expires_at": "2100-01-01T00:00:00Z"},
        {"credits": 20, "expires_at": "2100-02-01T00:00:00Z"},
    ]


def test_the_wallet_does_not_list_an_empty_lot_as_expiring(owner):
    grant(owner, 10, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    hold(owner.account.pk, 10, reference="a")
    capture("a", 10)
    assert data_of(owner.client.get(WALLET))["expiring"] == []


def test_the_ledger_lists_each_movement_newest_first(owner):
    hold(owner.account.pk, 10, reference="video:1")
    capture("video:1", 7, description="Video of 7 s")
    charge, welcome = LedgerEntry.objects.order_by("-sequence")
    assert data_of(owner.client.get(LEDGER)) == [
        {
            "id": str(charge.pk),
            "kind": "charge",
            "credits": -7,
            "balance_after": 23,
            "reference": "video:1",
            "description": "Video of 7 s",
            "created_at": as_sent(charge.created_at),
        },
        {
            "id": str(welcome.pk),
            "kind": "grant",
            "credits": 30,
            "balance_after": 30,
            "reference": f"signup:{owner.account.pk}",
            "description": "Welcome credits",
            "created_at": as_sent(welcome.created_at),
        },
    ]


def test_a_hold_is_not_listed_in_the_ledger(owner):
    hold(owner.account.pk, 10, reference="a")
    assert len(data_of(owner.client.get(LEDGER))) == 1


@pytest.mark.parametrize("path", [WALLET, LEDGER])
def test_teammates_see_one_wallet(owner, teammate, viewer, path):
    grant(owner, 10)
    seen = [data_of(person.client.get(path)) for person in (owner, teammate, viewer)]
    assert seen == [seen[0]] * 3


@pytest.mark.parametrize("path", [WALLET, LEDGER])
def test_an_outsider_sees_nothing_of_another_wallet(owner, outsider, path):
    before = data_of(outsider.client.get(path))
    grant(owner, 10)
    assert data_of(outsider.client.get(path)) == before


@pytest.mark.parametrize("path", [WALLET, LEDGER])
def test_an_anonymous_client_sees_no_wallet(anonymous, path):
    assert refusal_of(anonymous.get(path)) == (401, "not_authenticated")


@pytest.mark.parametrize("path", [WALLET, LEDGER])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_wallet_and_ledger_are_read_only(owner, path, method):
    assert refusal_of(getattr(owner.client, method)(path)) == (405, "method_not_allowed")


@pytest.mark.parametrize(("path", "queries"), [(WALLET, 2), (LEDGER, 1)])
def test_more_rows_take_no_more_queries(owner, path, queries):
    grant(owner, 1, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    with_one = queries_once_warm(lambda: owner.client.get(path))
    for day in (2, 3):
        grant(owner, 1, expires_at=datetime(2100, 1, day, tzinfo=UTC))
    assert (with_one, queries_once_warm(lambda: owner.client.get(path))) == (queries, queries)
