from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.models import RenderRate
from billing.plans import seeds
from billing.plans.rates import price, provider_cost
from genvid.errors import ProviderUnavailable
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.factories import make_avatar

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def no_rates(db):
    RenderRate.objects.all().delete()


def make_rate(credits: str, *, age: timedelta = DAY, **fields) -> RenderRate:
    given = {"engine": "avatar_iv", "provider_microdollars_per_second": 1, "valid_from": timezone.now() - age}
    return RenderRate.objects.create(credits_per_second=Decimal(credits), **given | fields)


def priced(seconds: float = 10, **fields) -> int:
    asked = {"engine": "avatar_iv", "avatar_kind": "studio_avatar", "resolution": "1080p"} | fields
    return price(seconds=seconds, **asked)


def test_a_rate_without_avatar_and_resolution_matches_everything(no_rates):
    make_rate("2")
    assert (priced(), priced(avatar_kind="photo_avatar", resolution="720p")) == (20, 20)


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        ({"avatar_kind": "studio_avatar"}, 30),
        ({"resolution": "1080p"}, 30),
        ({"avatar_kind": "studio_avatar", "resolution": "1080p"}, 30),
        ({"avatar_kind": "photo_avatar"}, 20),
        ({"resolution": "720p"}, 20),
        ({"engine": "avatar_v"}, 20),
    ],
)
def test_a_specific_rate_goes_before_a_general_one(no_rates, exact, expected):
    make_rate("2")
    make_rate("3", age=2 * DAY, **exact)
    assert priced() == expected


def test_a_rate_with_avatar_and_resolution_goes_before_one_with_either(no_rates):
    make_rate("2", avatar_kind="studio_avatar")
    make_rate("3", resolution="1080p")
    make_rate("4", avatar_kind="studio_avatar", resolution="1080p")
    assert priced() == 40


def test_a_rate_with_an_avatar_goes_before_one_with_a_resolution(no_rates):
    make_rate("2", avatar_kind="studio_avatar", age=2 * DAY)
    make_rate("3", resolution="1080p")
    assert priced() == 20


def test_of_equal_rates_the_newest_wins(no_rates):
    make_rate("2", age=2 * DAY)
    make_rate("3", age=DAY)
    assert priced() == 30


def test_a_rate_of_tomorrow_does_not_count_today(no_rates):
    make_rate("2")
    make_rate("3", age=-DAY)
    assert priced() == 20


@pytest.mark.parametrize(("seconds", "credits"), [(10, 10), (10.001, 11), (9.999, 10), (0.1, 1)])
def test_parts_of_a_credit_are_rounded_up(no_rates, seconds, credits):
    make_rate("1")
    assert priced(seconds) == credits


@pytest.mark.parametrize(("seconds", "credits"), [(3, 1), (0.3, 1), (30, 3), (31, 4)])
def test_a_tenth_of_a_credit_is_counted_exactly(no_rates, seconds, credits):
    make_rate("0.1")
    assert priced(seconds) == credits


@pytest.mark.parametrize(("seconds", "microdollars"), [(10, 150), (0.1, 2), (0.01, 1), (0, 0)])
def test_parts_of_a_micro_dollar_that_we_pay_are_rounded_up(no_rates, seconds, microdollars):
    make_rate("1", provider_microdollars_per_second=15)
    asked = {"engine": "avatar_iv", "avatar_kind": "studio_avatar", "resolution": "1080p"}
    assert provider_cost(seconds=seconds, **asked) == microdollars


def test_a_video_costs_at_least_the_minimum(no_rates):
    make_rate("1", minimum_credits=5)
    assert (priced(1), priced(6), priced(0)) == (5, 6, 5)


def test_without_a_rate_there_is_no_price(no_rates):
    make_rate("1", engine="avatar_v")
    with pytest.raises(ProviderUnavailable):
        priced()


def test_without_a_rate_the_client_gets_a_retryable_error(owner, avatar, no_rates):
    body = {"script": "Hello.", "avatar_id": str(avatar.pk)}
    with nothing_changes():
        answers = [owner.client.post(f"/api/v1/{path}", body) for path in ("videos", "videos/quote")]
    assert [refusal_of(answer) for answer in answers] == [(503, "provider_unavailable")] * 2


def test_a_new_installation_has_its_prices():
    photo = make_avatar(kind="photo_avatar")
    prices = [priced(engine=engine) for engine in ("avatar_iv", "avatar_v", "avatar_iii")]
    assert (prices, priced(engine="avatar_iii", avatar_kind=photo.kind)) == ([10, 10, 5], 8)


def test_seeding_again_leaves_the_prices_of_staff_alone(no_rates):
    make_rate("9")
    with nothing_changes():
        seeds.seed_rates()
