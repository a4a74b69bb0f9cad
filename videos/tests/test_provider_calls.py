"""The calls to HeyGen that a video's row keeps: each with status, code and time, by no statement of their own."""

import json

import pytest
from django.utils import timezone

from genvid.heygen import call_history
from genvid.tests.asserts import queries_of
from genvid.tests.employees import employee, panel_named
from genvid.tests.factories import make_video
from videos.enums import Status
from videos.models import Video
from videos.models.call_records import KEPT
from videos.pipeline import acceptance, submission
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


def record(number: int = 0, **facts) -> call_history.Record:
    made = {"at": timezone.now().isoformat(), "operation": "create_video", "status": 200, "code": ""}
    return made | {"request_id": f"req_{number}", "ms": 12} | facts


def remember(video: Video, *numbers: int) -> None:
    for number in numbers:
        call_history.remember(str(video.pk), record(number))


def request_ids(video: Video) -> list[str]:
    return [call["request_id"] for call in fresh(video).provider_calls or ()]


def test_an_order_that_nobody_answers_is_kept_with_its_failure(owner, settings, closed_url):
    settings.HEYGEN_BASE_URL, settings.HEYGEN_API_KEY = closed_url, "key"
    video = make_video(owner, "submitting")
    submission.submit_video(str(video.pk))
    (call,) = fresh(video).provider_calls
    assert (call["operation"], call["status"], bool(call["code"])) == ("create_video", None, True)
    assert call["ms"] >= 0


@pytest.mark.parametrize("step", ["move", "retry"])
def test_calls_are_written_by_the_statement_that_is_made_anyway(owner, step):
    def act(video: Video) -> None:
        if step == "move":
            video.move(Status.RENDERING, reason="test", provider_video_id=f"p{video.pk}"[:30])
        else:
            video.retry_later(1.0, "HeyGen: busy")

    without, with_calls = make_video(owner, "submitting"), make_video(owner, "submitting")
    remember(with_calls, 1, 2)
    assert queries_of(lambda: act(with_calls)) == queries_of(lambda: act(without))
    assert (request_ids(with_calls), request_ids(without)) == (["req_1", "req_2"], [])


def test_orders_accepted_together_keep_each_its_own_calls(owner):
    videos = [make_video(owner, "submitting") for _ in range(3)]
    Video.objects.filter(pk=videos[0].pk).update(provider_calls=[record(0)])
    remember(videos[0], 1)
    remember(videos[1], 2)
    acceptance.record_acceptances({video: f"remote_{video.pk}" for video in videos})
    assert [request_ids(video) for video in videos] == [["req_0", "req_1"], ["req_2"], []]
    assert {fresh(video).status for video in videos} == {"rendering"}


def test_a_row_keeps_the_newest_calls_only(owner):
    video = make_video(owner, "submitting")
    for number in range(KEPT + 12):
        remember(video, number)
        fresh(video).retry_later(0.0, "HeyGen: busy")
    kept = request_ids(video)
    assert (kept[-1], len(kept) <= KEPT + call_history.MAX_CALLS) == (f"req_{KEPT + 11}", True)
    assert len(json.dumps(fresh(video).provider_calls)) < 10_000


def test_memory_is_bounded():
    for number in range(call_history.MAX_VIDEOS + 10):
        call_history.remember(f"video-{number}", record(number))
    for number in range(call_history.MAX_CALLS + 3):
        call_history.remember("busy", record(number))
    assert call_history.take("video-0") == []
    assert [each["request_id"] for each in call_history.take("busy")] == [f"req_{n}" for n in range(3, 8)]
    assert call_history.take("busy") == []


def test_the_timeline_shows_calls_with_status_code_request_id_and_time(owner):
    video = make_video(owner, "submitting")
    made = [record(6), record(7, status=429, code="rate_limited", ms=345)]
    Video.objects.filter(pk=video.pk).update(provider_calls=made)
    page = employee("view_video").get(f"/admin/videos/video/{video.pk}/change/")
    calls = [row for row in panel_named(page, "Timeline").rows if row[2] == "call to HeyGen"]
    assert [row[4] for row in calls] == [
        "200 in 12 ms; request id req_6",
        "429 rate_limited in 345 ms; request id req_7",
    ]
