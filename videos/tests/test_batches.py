"""Batches over the API: all rows or none, one hold, and one report of all errors."""

import cProfile
import json
import pstats
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import OutgoingEvent
from billing.models import Hold
from genvid.tests.asserts import (
    data_of,
    nothing_changes,
    queries_of,
    refusal_of,
    the_ledger_proves,
    wrong_fields_of,
)
from genvid.tests.factories import make_endpoint, make_key, make_video, set_balance
from videos.models import Batch, Video, VideoEvent
from videos.queue import queue_snapshot
from videos.queue.estimates import queue_seconds
from videos.tests.batches import BATCHES, ROWS, SCRIPT, counts, fail_video, make_batch, payload_for, shown, videos_of
from videos.tests.pipeline import positions_now

pytestmark = pytest.mark.django_db
QUOTE = f"{BATCHES}/quote"


@pytest.fixture
def payload(avatar) -> dict:
    return payload_for(avatar)


def test_each_row_of_a_batch_becomes_a_video_of_its_own(owner, payload):
    batch = make_batch(owner, payload)
    assert [(video.batch_row, video.title, video.script) for video in videos_of(batch)] == [
        (number, f"For {name}", f"Hello {name}, welcome to our spring sale.")
        for number, name in enumerate(("Ada", "Bob", "Cyd"), start=1)
    ]


def test_a_new_batch_has_every_field(owner, payload, avatar):
    data = data_of(owner.client.post(BATCHES, payload | {"speed": 1.2, "metadata": {"a": "b"}}), 201)
    held = data["credits"]["quoted"]
    assert {name: data[name] for name in data if name not in ("id", "created_at", "results_url")} == {
        "title": "For {{name}}",
        "status": "processing",
        "kind": "avatar",
        "speech_id": None,
        "audio": None,
        "picture": None,
        "script": SCRIPT,
        "avatar_id": str(avatar.pk),
        "voice_id": str(avatar.default_voice_id),
        "format": "16:9",
        "resolution": "1080p",
        "language": None,
        "captions": False,
        "background": None,
        "speed": 1.2,
        "metadata": {"a": "b"},
        "columns": ["name"],
        "total": 3,
        "is_test": False,
        "counts": counts(queued=3),
        "progress_percent": 0,
        "credits": {"quoted": held, "held": held, "charged": 0},
        "canceled_at": None,
        "completed_at": None,
    }
    assert held > 0


def test_a_batch_holds_the_credits_of_all_its_videos_at_once(owner, payload):
    batch = make_batch(owner, payload)
    holds = dict(Hold.objects.values_list("reference", "amount"))
    assert holds == {video.money_reference: video.credits_held for video in videos_of(batch)}
    assert (owner.wallet.held, the_ledger_proves()) == (sum(holds.values()), True)


def test_the_videos_of_a_batch_wait_in_the_order_of_their_rows(owner, payload):
    batch = make_batch(owner, payload)
    make_video(owner, avatar_id=payload["avatar_id"])
    queue_snapshot.refresh()
    listed = data_of(owner.client.get("/api/v1/videos", {"batch_id": str(batch.pk)}))
    assert [video["queue_position"] for video in listed] == [3, 2, 1]
    assert [video["title"] for video in listed] == ["For Cyd", "For Bob", "For Ada"]
    assert {video["batch_id"] for video in listed} == {str(batch.pk)}


def test_each_video_of_a_batch_is_promised_by_its_position_in_the_fair_queue(owner, outsider, payload):
    set_balance(owner, 1000)
    set_balance(outsider, 1000)
    make_batch(outsider, payload, rows=[{"name": "Ada"}] * 15)
    queue_snapshot.refresh()
    batch = make_batch(owner, payload, rows=[{"name": "Ada"}] * 45)
    waits = [round((video.promised_at - video.queued_at).total_seconds()) for video in videos_of(batch)]
    found = positions_now(videos_of(batch))
    line = [found[video.pk] for video in videos_of(batch)]
    assert line[:20] == [2 * n for n in range(1, 16)] + [31, 32, 33, 34, 35]
    longest = videos_of(batch)[0].expected_render_seconds
    assert all(abs(wait - queue_seconds(place, longest)) <= longest for wait, place in zip(waits, line, strict=True))


def test_each_video_of_a_batch_has_the_start_of_its_history(owner, payload):
    make_batch(owner, payload)
    assert list(VideoEvent.objects.values_list("from_status", "to_status", "reason")) == [("", "queued", "batch")] * 3


def test_a_batch_that_the_wallet_does_not_cover_makes_nothing(owner, payload):
    set_balance(owner, 5)
    with nothing_changes():
        assert refusal_of(owner.client.post(BATCHES, payload)) == (402, "insufficient_credits")


def test_a_batch_beyond_the_limit_of_its_api_key_makes_nothing(owner, payload):
    program = make_key(owner, monthly_credit_limit=5)
    program.client.get(BATCHES)
    with nothing_changes():
        assert refusal_of(program.client.post(BATCHES, payload)) == (402, "key_limit_reached")


def test_batch_values_are_filled_in_verbatim_and_unused_columns_are_kept(owner, payload):
    row = {"name": "{{city}} {{", "city": "Rome"}
    batch = make_batch(owner, payload, rows=[row])
    (video,) = videos_of(batch)
    assert (video.script, video.variables) == ("Hello {{city}} {{, welcome to our spring sale.", row)
    assert batch.columns == ["name", "city"]


def test_columns_that_no_variable_uses_may_have_any_name(owner, payload):
    row = {"name": "Ada", "E-mail address": "ada@example.com", "1st": "x"}
    batch = make_batch(owner, payload, rows=[row])
    assert (batch.columns, videos_of(batch)[0].variables) == (list(row), row)


def test_columns_fill_variables_whatever_their_case_and_marks(owner, payload):
    change = {"rows": [{"Náme": "Ada"}], "script": "Hello {{name}} and {{NAME}}.", "title": "{{Name}}"}
    (video,) = videos_of(make_batch(owner, payload, **change))
    assert (video.script, video.title) == ("Hello Ada and Ada.", "Ada")


def test_batch_rows_that_fill_a_variable_ambiguously_are_refused(owner, payload):
    with nothing_changes():
        answer = owner.client.post(BATCHES, payload | {"rows": [{"Name": "Ada", "NAME": "Bob"}]})
    assert answer.json()["error"]["details"] == {
        "rows": "What fills name is not clear: the columns 'Name' and 'NAME' both fit. Rename all but one."
    }


def test_a_retry_of_a_video_of_a_batch_belongs_to_no_batch(owner, payload):
    first, *_ = videos_of(make_batch(owner, payload))
    fail_video(first)
    again = data_of(owner.client.post(f"/api/v1/videos/{first.pk}/retry"), 201)
    assert (again["retry_of"], again["script"], again["batch_id"]) == (str(first.pk), first.script, None)


def test_a_batch_quote_says_what_the_batch_will_hold_and_changes_nothing(owner, payload):
    with nothing_changes():
        quoted = data_of(owner.client.post(QUOTE, payload))
    made = make_batch(owner, payload)
    assert quoted == {
        "credits": made.credits_quoted,
        "videos": 3,
        "estimated_seconds": sum(video.estimated_seconds for video in videos_of(made)),
        "available_credits": 30,
        "affordable": True,
        "hold_factor": 1.0,
        "encoding": None,
        "sample": ROWS,
        "warnings": [],
    }


def test_a_repeated_request_with_an_idempotency_key_makes_one_batch(owner, payload):
    first, again = (data_of(owner.client.post(BATCHES, payload, HTTP_IDEMPOTENCY_KEY="one"), 201) for _ in range(2))
    assert (first["id"], Batch.objects.count(), Video.objects.count()) == (again["id"], 1, 3)


def test_a_batch_of_a_thousand_rows_takes_no_more_queries_than_one_of_ten(owner, payload):
    set_balance(owner, 20_000)
    few, many = ([{"name": f"Person {n}"} for n in range(count)] for count in (10, 1000))
    make_batch(owner, payload, rows=few)
    with_few = queries_of(lambda: make_batch(owner, payload, rows=few))
    assert queries_of(lambda: make_batch(owner, payload, rows=many)) <= with_few + 6


def count_function_calls(action: Callable[[], Any]) -> int:
    """How many Python functions `action` calls: a measure of work that is equal on every machine."""
    profile = cProfile.Profile(builtins=False)
    profile.runcall(action)
    return int(pstats.Stats(profile).total_calls)


@pytest.mark.slow
def test_a_batch_row_takes_no_more_than_seventeen_hundred_function_calls(owner, payload):
    """About two seconds for a thousand rows on an ordinary machine."""
    set_balance(owner, 20_000)
    few, many = ([{"name": f"Person {n}"} for n in range(count)] for count in (10, 1000))
    make_batch(owner, payload, rows=few)
    with_few = count_function_calls(lambda: make_batch(owner, payload, rows=few))
    assert count_function_calls(lambda: make_batch(owner, payload, rows=many)) - with_few < 990 * 1_700


def test_each_video_of_a_batch_sends_an_event_with_its_queue_position(owner, outsider, payload):
    make_endpoint(owner, "video.queued")
    make_video(outsider, avatar_id=payload["avatar_id"])
    batch = make_batch(owner, payload)
    told = [json.loads(body)["data"] for body in OutgoingEvent.objects.values_list("body", flat=True)]
    listed = data_of(owner.client.get("/api/v1/videos", {"batch_id": str(batch.pk)}))
    assert {video["id"]: video["queue_position"] for video in told} == {
        video["id"]: video["queue_position"] for video in listed
    }


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"rows": []}, ["rows"]),
        ({"rows": {"name": "Ada"}}, ["rows"]),
        ({"rows": [{"name": "x"}] * 1001}, ["rows"]),
        ({"rows": [{"name": "Ada"}, "Bob"]}, ["rows.1"]),
        ({"rows": ["Ada", 1]}, ["rows.0", "rows.1"]),
        ({"rows": [{}, "Bob"]}, ["rows.1"]),
        ({"rows": [{}]}, ["script"]),
        ({"rows": [{"name": 1}, "Bob", {"name": ""}]}, ["rows.0.name", "rows.1", "rows.2.name"]),
        ({"rows": [{"name": "Ada"}, {"city": 2}]}, ["rows.1.city", "rows.1.name"]),
        ({"rows": [{"name": 1}, {"name": "Bob"}, {"name": None}]}, ["rows.0.name", "rows.2.name"]),
        ({"rows": [{"name": "Ada"}, {"name": " "}, {}]}, ["rows.1.name", "rows.2.name"]),
        ({"rows": [{"name": "Ada", "": "x"}]}, ["rows.0"]),
        ({"rows": [{"name": "a\x00"}]}, ["rows.0.name"]),
        ({"rows": [{"name": "a" * 4999}], "title": ""}, ["rows.0.script"]),
        ({"rows": [{"name": "?!"}], "script": "{{name}}", "title": ""}, ["rows.0.script"]),
        ({"rows": [{"name": "a" * 200}]}, ["rows.0.title"]),
        ({"script": "Hi {{nobody}}"}, ["script"]),
        ({"script": "Hi {{name"}, ["script"]),
        ({"title": "{{nobody}}"}, ["title"]),
        ({"avatar_id": "00000000-0000-0000-0000-000000000000"}, ["avatar_id"]),
        ({"draft": True}, ["draft"]),
    ],
    ids=[str(number) for number in range(21)],
)
def test_an_invalid_batch_names_row_and_column_and_makes_nothing(owner, payload, change, fields):
    with nothing_changes():
        assert wrong_fields_of(owner.client.post(BATCHES, payload | change)) == fields


@pytest.mark.parametrize(("row", "more"), [({"name": ""}, 131), ({"name": 1, "city": 2}, 281), ("Ada", 131)])
def test_all_wrong_rows_of_a_batch_are_in_one_report_of_bounded_size(owner, payload, row, more):
    details = owner.client.post(BATCHES, payload | {"rows": [row] * 150}).json()["error"]["details"]
    assert len(details) == 20
    assert details["rows"] == f"There are {more} more errors."


def test_a_person_whose_address_is_not_verified_makes_no_batch(owner, payload, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True
    with nothing_changes():
        assert refusal_of(owner.client.post(BATCHES, payload)) == (403, "email_not_verified")


def test_a_viewer_makes_and_cancels_no_batch(owner, viewer, payload):
    batch = make_batch(owner, payload)
    with nothing_changes():
        assert refusal_of(viewer.client.post(BATCHES, payload)) == (403, "permission_denied")
        assert refusal_of(viewer.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (403, "permission_denied")
    assert shown(viewer, batch)["total"] == 3


def test_an_outsider_finds_no_batch(owner, outsider, payload):
    batch = make_batch(owner, payload)
    with nothing_changes():
        assert data_of(outsider.client.get(BATCHES)) == []
        for path in ("", "/results.csv"):
            assert refusal_of(outsider.client.get(f"{BATCHES}/{batch.pk}{path}")) == (404, "not_found")
        assert refusal_of(outsider.client.post(f"{BATCHES}/{batch.pk}/cancel")) == (404, "not_found")
