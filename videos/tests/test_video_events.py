"""Outgoing events about videos: the API's object, in the transaction of the change, and once."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import OutgoingEvent
from genvid.tests.asserts import data_of
from genvid.tests.factories import make_endpoint, make_video
from videos import settlement
from videos.batches import batch_actions
from videos.enums import Status
from videos.lifecycle import retention, video_actions
from videos.models import Batch, Video
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def endpoint(owner):
    return make_endpoint(owner)


def sent_events() -> list[tuple[str, str]]:
    """Type and object of each event, oldest first."""
    return [(event.type, event.object_id) for event in OutgoingEvent.objects.order_by("created_at", "sequence")]


def last_data() -> dict:
    return json.loads(OutgoingEvent.objects.order_by("created_at", "sequence").last().body)["data"]


def test_a_finished_video_sends_queued_processing_and_completed(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))
    assert sent_events() == [(f"video.{word}", str(video.pk)) for word in ("queued", "processing", "completed")]


@pytest.mark.parametrize("status", ["completed", "failed", "canceled"])
def test_the_data_of_an_event_is_the_video_as_the_api_shows_it(owner, status):
    video = make_video(owner, status)
    assert last_data() == data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))


@pytest.mark.usefixtures("queue_is_current")
def test_the_event_of_a_queued_video_has_its_queue_position(owner):
    make_video(owner)
    assert (last_data()["status"], last_data()["queue_position"]) == ("queued", 1)


def test_a_draft_sends_no_event(owner):
    make_video(owner, "draft")
    assert sent_events() == []


def test_a_rolled_back_move_sends_no_event(owner):
    video = make_video(owner)
    OutgoingEvent.objects.all().delete()
    with pytest.raises(RuntimeError), transaction.atomic():
        video_actions.cancel_by_client(fresh(video))
        raise RuntimeError
    assert (sent_events(), fresh(video).status) == ([], "queued")


def test_a_requeued_video_sends_video_queued_again(owner):
    video = make_video(owner, Status.SUBMITTING)
    settlement.requeue_video(video, reason="test", why="Busy.")
    assert sent_events()[-1] == ("video.queued", str(video.pk))


def test_a_batch_sends_its_event_when_its_last_video_has_ended(owner, avatar):
    rows = [{"n": "one"}, {"n": "two"}]
    made = data_of(
        owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows}), 201
    )
    first, last = Video.objects.order_by("batch_row")
    settlement.cancel_video(first, reason="test")
    assert "batch.completed" not in [kind for kind, _ in sent_events()]
    settlement.cancel_video(last, reason="test")
    assert [each for each in sent_events() if each[0] == "batch.completed"] == [("batch.completed", made["id"])]
    event = OutgoingEvent.objects.get(type="batch.completed")
    assert json.loads(event.body)["data"] == data_of(owner.client.get(f"/api/v1/batches/{made['id']}"))


def test_every_video_of_a_batch_sends_video_queued(owner, avatar):
    rows = [{"n": str(number)} for number in range(3)]
    owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows})
    assert sorted(sent_events()) == sorted(("video.queued", str(video.pk)) for video in Video.objects.all())


def test_a_canceled_batch_sends_an_event_for_each_video_and_for_itself(owner, avatar):
    rows = [{"n": str(number)} for number in range(3)]
    owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows})
    batch_actions.cancel_batch(Batch.objects.get())
    kinds = [kind for kind, _ in sent_events()]
    assert (kinds.count("video.canceled"), kinds.count("batch.completed")) == (3, 1)


def test_a_coming_expiry_sends_one_event(owner):
    video = make_video(owner, "completed")
    Video.objects.update(expires_at=timezone.now())
    for _ in range(2):
        retention.warn_of_expiry()
    assert [each for each in sent_events() if each[0] == "video.expiring"] == [("video.expiring", str(video.pk))]


def test_other_accounts_receive_no_event(owner, outsider):
    make_video(outsider)
    assert sent_events() == []
