"""The log lines and jobs of a video carry the id of the request that ordered it, whoever woke the worker."""

import pytest
from django.utils import timezone

from genvid import request_context
from genvid.request_context import RequestContext
from genvid.tests.factories import SCRIPT, make_caller, make_video
from genvid.tests.workers import inline_worker
from videos import jobs, settlement
from videos.enums import Status
from videos.lifecycle import video_actions
from videos.models import Video
from videos.pipeline import overdue, scheduler, sweeper
from videos.staff import staff_actions
from videos.tests.pipeline import CREATE, fresh, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = "sam@example.com"


@pytest.fixture
def worker():
    with inline_worker() as made:
        yield made


@pytest.fixture
def ordered(pipeline, settings, caplog, worker):
    """Two videos of two accounts and two requests; one message to the scheduler, sent by the second request."""
    settings.HEYGEN_MAX_CONCURRENT = 2
    caplog.set_level("INFO")
    first, second = make_caller(), make_caller()
    videos = [order(pipeline, first, "first-request")]
    worker.messages.clear()
    return [*videos, order(pipeline, second, "second-request")]


def order(pipeline, person, request_id: str, **more) -> Video:
    body = {"script": SCRIPT, "avatar_id": str(pipeline.avatar.pk), "resolution": "720p"} | more
    response = person.client.post("/api/v1/videos", body, HTTP_X_REQUEST_ID=request_id)
    assert response.status_code == 201, response.content
    return Video.objects.get(pk=response.json()["data"]["id"])


def lines_of(video, caplog) -> list[dict]:
    """The log lines with this video's id, except those of other requests."""
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if str(video.pk) in repr(line)]


def request_ids_of(video, caplog) -> set[str | None]:
    return {line.get("request_id") for line in lines_of(video, caplog)}


def requests_of(worker, job) -> dict[str, str]:
    """The request ids of the messages sent, by the id of their video."""
    return {
        ids[0]: headers["request_context"]["request_id"] for name, ids, headers in worker.messages if name == job.name
    }


def complete(worker, videos) -> None:
    """Run the messages and the schedule until both videos are completed."""

    def ended() -> bool:
        worker.work()
        Video.objects.filter(status=Status.RENDERING).update(due_at=timezone.now())
        worker.run(jobs.POLL)
        return {fresh(video).status for video in videos} == {"completed"}

    wait_until(ended, why=lambda: str([fresh(video).status for video in videos]))


def test_each_videos_lines_carry_the_id_of_its_own_request_through_the_whole_pipeline(ordered, worker, caplog):
    caplog.set_level("INFO", "django_structlog.celery")
    complete(worker, ordered)

    work = {"task_enqueued", "task_started", "task_succeeded"}
    events = work | {"heygen_call", "heygen_download", "video_moved", "mail_sent"}
    assert [request_ids_of(video, caplog) for video in ordered] == [{"first-request"}, {"second-request"}]
    assert [{line["event"] for line in lines_of(video, caplog)} for video in ordered] == [events] * 2


def test_a_message_without_a_request_id_runs_under_the_request_of_its_video(ordered, worker, caplog):
    """The previous release sends such messages."""
    worker.carries_context = False
    complete(worker, ordered)

    events = {"heygen_call", "heygen_download", "video_moved"}
    assert [request_ids_of(video, caplog) for video in ordered] == [{"first-request"}, {"second-request"}]
    assert [{line["event"] for line in lines_of(video, caplog)} for video in ordered] == [events] * 2
    of_nobody = [record.msg for record in caplog.records if "request_id" not in record.msg]
    assert {line.get("operation") for line in of_nobody}.isdisjoint({"create_video", "get_video"})
    assert "heygen_download" not in {line["event"] for line in of_nobody}


def test_each_videos_lines_name_its_own_account_and_person(ordered, worker, caplog):
    complete(worker, ordered)

    for video in ordered:
        told = {(line.get("account_id"), line.get("user_id")) for line in lines_of(video, caplog)}
        assert told == {(str(video.account_id), str(video.created_by_id))}


@pytest.fixture
def in_a_foreign_request():
    with request_context.use(
        RequestContext("the-waker", account_id="waker", user_id="waker", key_id="waker", video_id="waker")
    ):
        yield


@pytest.mark.usefixtures("in_a_foreign_request")
def test_the_orders_of_several_requests_are_enqueued_in_one_message_of_no_request(ordered, worker):
    worker.messages.clear()
    assert scheduler.hand_out_slots() == 2

    ((name, ids, headers),) = worker.messages
    assert (name, sorted(ids)) == (jobs.SUBMIT.name, sorted(str(video.pk) for video in ordered))
    assert headers["request_context"] == {}


@pytest.mark.usefixtures("in_a_foreign_request")
def test_a_single_order_is_enqueued_under_its_own_request(ordered, worker, settings):
    settings.HEYGEN_MAX_CONCURRENT = 1
    worker.messages.clear()
    assert scheduler.hand_out_slots() == 1

    assert [headers["request_context"] for _, _, headers in worker.messages] == [ordered[0].request_context.ids]


def test_the_log_lines_of_the_scheduler_itself_have_no_request_id(ordered, worker):
    assert [(name, headers["request_context"]) for name, _, headers in worker.messages] == [("videos.dispatch", {})]


def test_the_orders_that_a_sweep_enqueues_are_sent_under_the_request_of_each_video(ordered, worker, caplog):
    scheduler.hand_out_slots()
    worker.messages.clear()
    caplog.clear()

    with request_context.use(RequestContext("somebody-else")):
        sweeper.sweep_all()
    assert [(len(ids), headers["request_context"]) for name, ids, headers in worker.messages if ids] == [(2, {})]
    worker.work()

    assert [request_ids_of(video, caplog) for video in ordered] == [{"first-request"}, {"second-request"}]
    assert [fresh(video).status for video in ordered] == ["rendering"] * 2


def test_a_sweep_ends_overdue_videos_under_the_request_of_each(ordered, worker, caplog, pipeline):
    for video in ordered:
        pipeline.expire_deadline(video)
    caplog.clear()

    with request_context.use(RequestContext("somebody-else")):
        overdue.end_overdue()

    assert [request_ids_of(video, caplog) for video in ordered] == [{"first-request"}, {"second-request"}]
    assert [{line["event"] for line in lines_of(video, caplog)} for video in ordered] == [
        {"video_overdue", "video_moved"}
    ] * 2


def test_heygens_webhook_works_under_the_request_of_the_video(pipeline, owner, worker, caplog):
    video = pipeline.finish_render(order(pipeline, owner, "mine"))
    caplog.set_level("INFO")
    caplog.clear()
    with request_context.use(RequestContext("the-webhook")):
        worker.messages.clear()
        pipeline.poll(video)

    assert request_ids_of(video, caplog) == {"mine"}
    assert requests_of(worker, jobs.STORE) == {str(video.pk): "mine"}


def test_a_download_that_breaks_off_is_logged_under_the_request_of_the_video(pipeline, owner, caplog):
    video = pipeline.reach_storing(order(pipeline, owner, "mine"))
    pipeline.sandbox.configure(truncate_downloads=1)
    caplog.set_level("INFO")
    caplog.clear()
    with request_context.use(RequestContext("the-waker")):
        assert pipeline.store(video).tries == 1

    assert {line["event"] for line in lines_of(video, caplog)} >= {"storing_retried_later"}
    assert request_ids_of(video, caplog) == {"mine"}


def test_a_refusal_by_heygen_is_logged_with_our_request_id_and_with_heygens(pipeline, owner, caplog):
    pipeline.sandbox.fault(kind="status", status=500, **CREATE)
    video = order(pipeline, owner, "mine")
    pipeline.submit(video)
    (line,) = [line for line in lines_of(video, caplog) if line["event"] == "submission_not_accepted"]
    assert (line["request_id"], "provider_request_id" in line) == ("mine", True)


def test_a_move_by_another_request_is_logged_under_the_request_that_ordered_the_video(pipeline, owner, caplog):
    video = order(pipeline, owner, "ordered-by")
    caplog.set_level("INFO")
    caplog.clear()
    owner.client.post(f"/api/v1/videos/{video.pk}/cancel", HTTP_X_REQUEST_ID="canceled-by")
    told = {line["event"]: line["request_id"] for line in lines_of(video, caplog)}
    assert (told["video_moved"], told["request_finished"]) == ("ordered-by", "canceled-by")


def test_a_generated_draft_has_the_id_of_the_request_that_ordered_it(pipeline, owner):
    draft = order(pipeline, owner, "drafted-by", draft=True)
    owner.client.post(f"/api/v1/videos/{draft.pk}/generate", HTTP_X_REQUEST_ID="ordered-by")
    assert (draft.request_id, fresh(draft).request_id) == ("drafted-by", "ordered-by")


def test_a_retry_by_its_client_is_a_new_video_of_the_new_request(pipeline, owner):
    video = order(pipeline, owner, "first")
    video_actions.cancel_by_client(video)
    answer = owner.client.post(f"/api/v1/videos/{video.pk}/retry", HTTP_X_REQUEST_ID="second")
    again = Video.objects.get(pk=answer.json()["data"]["id"])
    assert (fresh(video).request_id, again.request_id) == ("first", "second")


def test_a_video_that_staff_requeue_keeps_the_request_that_ordered_it(pipeline, owner, caplog):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.submit(order(pipeline, owner, "mine"))
    caplog.set_level("INFO")
    caplog.clear()
    with request_context.use(RequestContext("staff")):
        staff_actions.requeue_by_staff(video, by=STAFF, why="slow", abandon_order=True)
    assert (fresh(video).request_id, request_ids_of(video, caplog)) == ("mine", {"mine"})


def test_staff_enqueue_a_download_under_the_request_of_the_video(owner, worker):
    video = make_video(owner, "storing", due_at=timezone.now())
    Video.objects.filter(pk=video.pk).update(request_id="mine")
    worker.messages.clear()
    with request_context.use(RequestContext("staff")):
        staff_actions.fetch_again(fresh(video), by=STAFF)
    ((name, _, headers),) = worker.messages
    assert (name, headers["request_context"]["request_id"]) == ("videos.store", "mine")


def test_each_video_of_a_batch_has_the_request_of_the_batch(pipeline, owner):
    body = {
        "script": "Hello {{name}}.",
        "avatar_id": str(pipeline.avatar.pk),
        "resolution": "720p",
        "rows": [{"name": "Ada"}, {"name": "Bob"}],
    }
    answer = owner.client.post("/api/v1/batches", body, HTTP_X_REQUEST_ID="the-batch")
    assert answer.status_code == 201, answer.content
    assert list(Video.objects.values_list("request_id", flat=True)) == ["the-batch"] * 2


def test_a_video_without_a_request_id_never_takes_that_of_another_request(owner, caplog):
    video = make_video(owner, "queued")
    caplog.set_level("INFO")
    caplog.clear()
    with request_context.use(RequestContext("the-waker", user_id="waker")):
        settlement.cancel_video(video, reason="test")
    assert (video.request_id, request_ids_of(video, caplog)) == ("", {None})
