"""Prices of what is sold by the piece or by the begun minute."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import credits
from billing.models import Fee
from billing.plans import seeds
from genvid.errors import ProviderUnavailable
from genvid.tests.asserts import data_of, nothing_changes, queries_of, queries_once_warm
from genvid.tests.clocks import still_clocks

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FEES = "/api/v1/billing/fees"
SEEDED = {
    "photo_avatar": (20, 1_000_000, "each"),
    "digital_twin": (30, 1_000_000, "each"),
    "voice_clone": (10, None, "each"),
    "speech": (1, 40_000, "minute"),
}


def make_fee(credits: int, *, what: str = "photo_avatar", age: timedelta = DAY, **fields) -> Fee:
    return Fee.objects.create(what=what, credits=credits, valid_from=timezone.now() - age, **fields)


def test_a_new_installation_has_its_fees():
    fees = {what: credits.fee(what) for what in SEEDED}
    assert {what: (fee.credits, fee.provider_microdollars, fee.unit) for what, fee in fees.items()} == SEEDED
    assert [fee.what for fee in fees.values()] == list(SEEDED)


def test_the_newest_fee_in_force_holds():
    make_fee(25)
    make_fee(22, age=2 * DAY)
    make_fee(90, age=-DAY)
    assert credits.fee("photo_avatar").credits == 25


@pytest.mark.parametrize(("early", "expected"), [(timedelta(microseconds=1), 20), (timedelta(0), 25)])
def test_a_fee_begins_to_hold_exactly_at_its_time(early, expected):
    later = make_fee(25, age=-DAY)
    credits.fee("photo_avatar")
    with still_clocks(later.valid_from - early):
        assert credits.fee("photo_avatar").credits == expected


@pytest.mark.usefixtures("still_caches")
def test_fees_are_remembered():
    credits.fee("speech")
    assert queries_of(lambda: [credits.fee(what) for what in SEEDED]) == 0


def test_what_has_no_fee_cannot_be_sold():
    Fee.objects.filter(what="speech").delete()
    with pytest.raises(ProviderUnavailable) as refusal:
        credits.fee("speech")
    assert refusal.value.message == "No price is set for speech."


@pytest.mark.parametrize(("what", "unit"), [("speech", "each"), ("voice_clone", "minute")])
def test_only_speech_is_sold_by_the_minute(what, unit):
    fee = Fee(what=what, credits=1, unit=unit)
    with pytest.raises(ValidationError, match="Speech is sold by the minute"):
        fee.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        fee.save()


def test_seeding_again_leaves_the_fees_of_staff_alone():
    Fee.objects.filter(what="speech").update(credits=3)
    with nothing_changes():
        seeds.seed_fees()


def test_what_a_release_adds_gets_its_fee():
    Fee.objects.filter(what="voice_clone").delete()
    seeds.seed_fees()
    assert credits.fee("voice_clone") == credits.Fee("voice_clone", 10, None, "each")


# ── The API


def test_the_fees_of_a_new_installation_are_listed(owner):
    assert data_of(owner.client.get(FEES)) == [
        {"what": "photo_avatar", "credits": 20, "unit": "each"},
        {"what": "digital_twin", "credits": 30, "unit": "each"},
        {"what": "voice_clone", "credits": 10, "unit": "each"},
        {"what": "speech", "credits": 1, "unit": "minute"},
    ]


def test_the_list_has_the_fees_in_force_the_newest_first(owner):
    make_fee(25, what="voice_clone")
    make_fee(22, what="voice_clone", age=2 * DAY)
    make_fee(90, what="digital_twin", age=-DAY)
    found = [(each["what"], each["credits"]) for each in data_of(owner.client.get(FEES))]
    assert found == [("voice_clone", 25), ("photo_avatar", 20), ("digital_twin", 30), ("speech", 1)]


def test_the_list_comes_in_pages(owner):
    first = owner.client.get(FEES, {"limit": 3})
    rest = owner.client.get(FEES, {"cursor": first.json()["meta"]["next_cursor"]})
    pages = [[each["what"] for each in data_of(page)] for page in (first, rest)]
    assert pages == [["photo_avatar", "digital_twin", "voice_clone"], ["speech"]]


def test_the_list_takes_as_many_queries_after_many_changes_of_prices(owner):
    few = queries_once_warm(lambda: owner.client.get(FEES))
    for days in range(1, 20):
        make_fee(days, age=days * DAY)
    assert queries_once_warm(lambda: owner.client.get(FEES)) == few


def test_a_new_fee_changes_the_etag_of_the_list(owner):
    etag = owner.client.get(FEES)["ETag"]
    make_fee(25)
    again = owner.client.get(FEES, HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, data_of(again)[0]["credits"]) == (200, 25)
