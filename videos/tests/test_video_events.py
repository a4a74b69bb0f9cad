"""What our clients' programs are told: the API's own object, in the transaction of the change, and once."""

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


def told() -> list[tuple[str, str]]:
    """Type and object of each event, oldest first."""
    return [(event.type, event.object_id) for event in OutgoingEvent.objects.order_by("created_at", "sequence")]


def last_data() -> dict:
    return json.loads(OutgoingEvent.objects.order_by("created_at", "sequence").last().body)["data"]


def test_a_finished_video_was_queued_processed_and_completed(pipeline, owner):
    video = pipeline.run(pipeline.order(owner))
    assert told() == [(f"video.{word}", str(video.pk)) for word in ("queued", "processing", "completed")]


@pytest.mark.parametrize("status", ["completed", "failed", "canceled"])
def test_the_data_is_what_the_api_shows(owner, status):
    video = make_video(owner, status)
    assert last_data() == data_of(owner.client.get(f"/api/v1/videos/{video.pk}"))


def test_a_queued_video_is_told_with_its_place(owner):
    make_video(owner)
    assert (last_data()["status"], last_data()["queue_position"]) == ("queued", 1)


def test_a_draft_is_nobodys_news(owner):
    make_video(owner, "draft")
    assert told() == []


def test_what_is_rolled_back_was_never_told(owner):
    video = make_video(owner)
    OutgoingEvent.objects.all().delete()
    with pytest.raises(RuntimeError), transaction.atomic():
        video_actions.cancel_by_client(fresh(video))
        raise RuntimeError
    assert (told(), fresh(video).status) == ([], "queued")


def test_a_video_put_back_in_the_queue_is_told_as_queued_again(owner):
    video = make_video(owner, Status.SUBMITTING)
    settlement.requeue_video(video, reason="test", why="Busy.")
    assert told()[-1] == ("video.queued", str(video.pk))


def test_a_batch_is_told_of_when_its_last_video_has_ended(owner, avatar):
    rows = [{"n": "one"}, {"n": "two"}]
    made = data_of(
        owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows}), 201
    )
    first, last = Video.objects.order_by("batch_row")
    settlement.cancel_video(first, reason="test")
    assert "batch.completed" not in [kind for kind, _ in told()]
    settlement.cancel_video(last, reason="test")
    assert [each for each in told() if each[0] == "batch.completed"] == [("batch.completed", made["id"])]
    event = OutgoingEvent.objects.get(type="batch.completed")
    assert json.loads(event.body)["data"] == data_of(owner.client.get(f"/api/v1/batches/{made['id']}"))


def test_every_video_of_a_batch_is_told_as_queued(owner, avatar):
    rows = [{"n": str(number)} for number in range(3)]
    owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows})
    assert sorted(told()) == sorted(("video.queued", str(video.pk)) for video in Video.objects.all())


def test_a_canceled_batch_tells_of_each_video_and_of_itself(owner, avatar):
    rows = [{"n": str(number)} for number in range(3)]
    owner.client.post("/api/v1/batches", {"script": "Hi {{n}}", "avatar_id": str(avatar.pk), "rows": rows})
    batch_actions.cancel_batch(Batch.objects.get())
    kinds = [kind for kind, _ in told()]
    assert (kinds.count("video.canceled"), kinds.count("batch.completed")) == (3, 1)


def test_an_end_of_keeping_is_told_once(owner):
    video = make_video(owner, "completed")
    Video.objects.update(expires_at=timezone.now())
    for _ in range(2):
        retention.warn_of_expiry()
    assert [each for each in told() if each[0] == "video.expiring"] == [("video.expiring", str(video.pk))]


def test_others_are_told_nothing(owner, outsider):
    make_video(outsider)
    assert told() == []
