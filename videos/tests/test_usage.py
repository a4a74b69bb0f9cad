"""`usage`: credits and videos by day or by API key."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing import credits
from billing.models import Fee, Hold, LedgerEntry
from genvid.tests.asserts import data_of, queries_once_warm, refusal_of, wrong_fields_of
from genvid.tests.factories import make_key, make_speech, make_video, set_balance
from videos.models import Speech, Video

pytestmark = pytest.mark.django_db
USAGE = "/api/v1/usage"
NOTHING = {"credits": {"charged": 0, "refunded": 0}, "videos": {"created": 0, "completed": 0}}


def usage_of(person, **params: str) -> dict:
    return data_of(person.client.get(USAGE, params))


def today() -> date:
    return datetime.now(UTC).date()


def move_to(video: Video, moment: datetime) -> None:
    """Set the time at which the video was made and charged."""
    Video.objects.filter(pk=video.pk).update(created_at=moment, completed_at=moment)
    Hold.objects.filter(reference=video.money_reference).update(settled_at=moment)
    LedgerEntry.objects.filter(reference=video.money_reference).update(created_at=moment)


def amounts(charged: int = 0, refunded: int = 0, created: int = 0, completed: int = 0) -> dict:
    return {
        "credits": {"charged": charged, "refunded": refunded},
        "videos": {"created": created, "completed": completed},
    }


@pytest.fixture(autouse=True)
def rich(owner) -> None:
    set_balance(owner, 1000)


# ── By day


def test_usage_without_parameters_is_that_of_the_last_thirty_days(owner):
    answer = usage_of(owner)
    days = [today() - timedelta(days=back) for back in range(29, -1, -1)]
    assert [row["day"] for row in answer["rows"]] == [str(day) for day in days]
    assert (answer["first_day"], answer["last_day"]) == (str(days[0]), str(days[-1]))
    assert (answer["group_by"], answer["total"]) == ("day", NOTHING)


def test_usage_counts_videos_and_charges_on_their_day(owner):
    video = make_video(owner, "completed")
    make_video(owner, "failed")
    rows = usage_of(owner)["rows"]
    charged = Video.objects.get(pk=video.pk).credits_charged
    assert rows[-1] == {"day": str(today())} | amounts(charged=charged, created=2, completed=1)
    assert all(row == {"day": row["day"]} | NOTHING for row in rows[:-1])


def test_the_total_of_usage_is_the_sum_of_its_rows(owner):
    videos = [make_video(owner, "completed") for _ in range(3)]
    move_to(videos[0], timezone.now() - timedelta(days=3))
    charged = sum(Video.objects.values_list("credits_charged", flat=True))
    assert usage_of(owner)["total"] == amounts(charged=charged, created=3, completed=3)


def test_usage_includes_the_first_and_the_last_day_whole(owner):
    moments = ["2026-03-01T00:00:00", "2026-03-02T23:59:59.999999", "2026-02-28T23:59:59.999999", "2026-03-03T00:00:00"]
    for moment in moments:
        move_to(make_video(owner, "completed"), datetime.fromisoformat(moment).replace(tzinfo=UTC))
    answer = usage_of(owner, **{"from": "2026-03-01", "to": "2026-03-02"})
    assert [(row["day"], row["videos"]) for row in answer["rows"]] == [
        ("2026-03-01", {"created": 1, "completed": 1}),
        ("2026-03-02", {"created": 1, "completed": 1}),
    ]
    assert answer["total"]["credits"]["charged"] == 2 * Video.objects.first().credits_charged


def test_usage_counts_a_refund_on_the_day_it_was_given(owner):
    video = make_video(owner, "completed")
    move_to(video, timezone.now() - timedelta(days=2))
    credits.refund(video.money_reference, 2, description="Sorry.")
    rows = usage_of(owner)["rows"]
    charged = Video.objects.get().credits_charged
    assert [row["credits"] for row in rows[-3:]] == [
        {"charged": charged, "refunded": 0},
        {"charged": 0, "refunded": 0},
        {"charged": 0, "refunded": 2},
    ]


def test_usage_counts_a_deleted_video(owner):
    make_video(owner, "completed", deleted_at=timezone.now())
    assert usage_of(owner)["total"]["videos"] == {"created": 1, "completed": 1}


def test_usage_leaves_out_drafts_and_test_videos(owner):
    make_video(owner, "draft")
    make_video(owner, "completed", is_test=True)
    assert usage_of(owner)["total"]["videos"] == {"created": 0, "completed": 0}


def test_usage_of_another_account_is_not_counted(owner, outsider):
    make_video(outsider, "completed")
    assert usage_of(owner)["total"] == NOTHING


# ── By key


def test_usage_by_key_has_a_row_for_each_used_key_and_one_for_sessions(owner):
    by_hand = make_video(owner, "completed", duration=1)
    key, unused = make_key(owner, name="CI").key, make_key(owner).key
    by_key = make_video(owner, "completed", duration=5)
    for model, found in ((Video, {"pk": by_key.pk}), (Hold, {"reference": by_key.money_reference})):
        model.objects.filter(**found).update(api_key=key)
    credits.refund(by_key.money_reference, 1, description="Sorry.")
    charged = dict(Video.objects.values_list("pk", "credits_charged"))
    answer = usage_of(owner, group_by="api_key")
    assert answer["rows"] == [
        {"api_key_id": str(key.pk), "name": "CI"} | amounts(charged[by_key.pk], refunded=1, created=1, completed=1),
        {"api_key_id": None, "name": None} | amounts(charged[by_hand.pk], created=1, completed=1),
    ]
    assert str(unused.pk) not in str(answer)
    assert answer["total"] == usage_of(owner)["total"]


def test_usage_by_key_without_any_use_has_no_rows(owner):
    answer = usage_of(owner, group_by="api_key")
    assert (answer["rows"], answer["total"]) == ([], NOTHING)


# ── Parameters


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"from": "yesterday"}, ["from"]),
        ({"from": ""}, ["from"]),
        ({"from": "20260101"}, ["from"]),
        ({"from": "2026-W01-1"}, ["from"]),
        ({"from": "2026-01-01T00:00:00Z"}, ["from"]),
        ({"to": "2026-02-30"}, ["to"]),
        ({"from": "\u0662026-01-01"}, ["from"]),
        ({"from": "0001-01-01", "to": "9999-12-31"}, ["from", "to"]),
        ({"from": "2026-03-02", "to": "2026-03-01"}, ["from"]),
        ({"from": "2026-01-01", "to": "2027-01-02"}, ["from"]),
        ({"group_by": "month"}, ["group_by"]),
        ({"group_by": ""}, ["group_by"]),
        ({"since": "2026-01-01"}, ["since"]),
    ],
    ids=str,
)
def test_usage_with_invalid_parameters_is_refused(owner, params, wrong):
    assert wrong_fields_of(owner.client.get(USAGE, params)) == wrong


def test_the_longest_span_of_usage_is_a_leap_year(owner):
    assert len(usage_of(owner, **{"from": "2028-01-01", "to": "2028-12-31"})["rows"]) == 366


def test_usage_requires_the_right_to_read_billing(owner, viewer, anonymous):
    assert usage_of(viewer)["total"] == NOTHING
    assert refusal_of(make_key(owner, "videos:read").client.get(USAGE)) == (403, "permission_denied")
    assert usage_of(make_key(owner, "billing:read"))["total"] == NOTHING
    assert refusal_of(anonymous.get(USAGE)) == (401, "not_authenticated")


@pytest.mark.parametrize(("group_by", "queries"), [("day", 6), ("api_key", 6)])
def test_usage_takes_few_queries_however_much_was_used(owner, group_by, queries):
    few = queries_once_warm(lambda: usage_of(owner, group_by=group_by))
    for _ in range(3):
        make_video(owner, "completed")
    many = queries_once_warm(lambda: usage_of(owner, group_by=group_by))
    assert (few, many) == (queries, queries)


# ── Fees


def pay(person, amount: int, reference: str, **options) -> None:
    credits.charge(person.account.pk, amount, reference=reference, description="A fee", **options)


def test_fees_are_charges_of_their_day_and_no_videos(owner):
    pay(owner, 20, "avatar:1")
    pay(owner, 2, "speech:1")
    credits.refund("avatar:1", 20, description="Sorry.")
    answer = usage_of(owner)
    assert (answer["rows"][-1], answer["total"]) == ({"day": str(today()), **amounts(22, 20)}, amounts(22, 20))


def test_fees_are_charges_of_their_key(owner):
    key = make_key(owner).key
    pay(owner, 2, "speech:1", key_id=key.pk)
    pay(owner, 10, "voice:1")
    rows = {row["api_key_id"]: row["credits"]["charged"] for row in usage_of(owner, group_by="api_key")["rows"]}
    assert rows == {str(key.pk): 2, None: 10}


# ── Speech


def speech_of(person, **params: str) -> dict:
    shown: dict = usage_of(person, **params)["speech_today"]
    return shown


def test_usage_shows_the_free_seconds_of_speech_that_are_left_today_and_the_price_beyond(owner, voice):
    tomorrow = datetime.combine(today() + timedelta(days=1), datetime.min.time(), UTC)
    make_speech(owner, voice_id=voice.pk, free_seconds=Decimal("11.800"))
    assert speech_of(owner, **{"from": "2026-01-01", "to": "2026-01-02"}) == {
        "free_seconds": 60,
        "free_seconds_left": 48.2,
        "resets_at": f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}",
        "credits_per_minute": 1,
    }


def test_free_seconds_of_yesterday_of_test_keys_and_of_other_accounts_are_not_counted_as_used(
    owner, outsider, voice, settings
):
    settings.TEST_RENDERER_URL = settings.TEST_RENDERER_KEY = "http://127.0.0.1:9"
    used = {"voice_id": voice.pk, "free_seconds": Decimal(5)}
    make_speech(owner, **used, is_test=True)
    make_speech(outsider, **used)
    old = make_speech(owner, **used)
    Speech.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    assert speech_of(owner)["free_seconds_left"] == 60


def test_more_than_the_free_seconds_leaves_none_of_them(owner, voice):
    make_speech(owner, voice_id=voice.pk, free_seconds=Decimal(61))
    assert speech_of(owner)["free_seconds_left"] == 0


def test_speech_that_is_not_sold_has_no_price(owner):
    Fee.objects.filter(what="speech").delete()
    assert speech_of(owner)["credits_per_minute"] is None
