"""Deliveries that never came are found in HeyGen's own history; and many renders are asked about in few calls."""

import pytest

from genvid.heygen.types import WebhookNotice
from videos.enums import LearnedBy, Status
from videos.models import ProviderState, WebhookDelivery
from videos.services import deliveries, rendering, submitting
from videos.tests.pipeline import charged_once, fresh, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_webhooks(pipeline):
    pipeline.sandbox.knobs(webhooks="off")


def calls(pipeline, route: str) -> int:
    return pipeline.sandbox.books()["requests"].get(route, 0)


def work_off_all() -> None:
    for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
        deliveries.work_off(pk)


def test_a_render_whose_delivery_was_lost_is_found_in_the_history(pipeline, owner):
    video = pipeline.rendered(pipeline.order(owner))
    assert deliveries.backfill_missed() == 1
    work_off_all()
    assert (fresh(video).status, fresh(video).learned_by) == ("storing", LearnedBy.WEBHOOK)


def test_the_history_is_not_read_while_nothing_renders(pipeline):
    assert deliveries.backfill_missed() == 0
    assert calls(pipeline, "GET /v3/webhooks/events") == 0


def test_what_came_already_is_not_kept_twice(pipeline, owner):
    pipeline.rendered(pipeline.order(owner))
    assert [deliveries.backfill_missed() for _ in range(2)] == [1, 0]
    assert WebhookDelivery.objects.count() == 1


def test_a_delivery_that_comes_after_all_is_the_same_one(pipeline, owner):
    video = pipeline.rendered(pipeline.order(owner))
    deliveries.backfill_missed()
    event_id = WebhookDelivery.objects.get().key
    late = WebhookNotice(event_id, "avatar_video.success", fresh(video).provider_video_id, None, {})
    assert deliveries.keep(late) is False
    work_off_all()
    pipeline.store(video)
    assert charged_once(owner, video)


def test_a_history_that_cannot_be_read_is_read_from_the_same_place_later(pipeline, owner):
    pipeline.rendered(pipeline.order(owner))
    pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/webhooks/events", times=3)
    assert deliveries.backfill_missed() == 0
    assert ProviderState.objects.get().events_seen_until is None
    assert deliveries.backfill_missed() == 1


def test_more_renders_than_fit_a_call_take_another_call(pipeline, owner, monkeypatch):
    monkeypatch.setattr(rendering, "BULK", 3)
    pipeline.sandbox.knobs(stuck=True)
    videos = [pipeline.order(owner, "Hi.") for _ in range(4)]
    for video in videos:
        pipeline.submit(video)
    for video in videos:
        pipeline.make_due(video)
    before = calls(pipeline, "GET /v3/videos/statuses")
    assert (rendering.poll_due(), calls(pipeline, "GET /v3/videos/statuses") - before) == (4, 2)


def test_renders_beyond_the_first_few_that_ended_are_read_by_tasks(pipeline, owner, monkeypatch, woken):
    monkeypatch.setattr(rendering, "READ_AT_ONCE", 1)
    videos = [pipeline.rendered(pipeline.order(owner, "Hi.")) for _ in range(3)]
    for video in videos:
        pipeline.make_due(video)
    rendering.poll_due()
    statuses = sorted(fresh(video).status for video in videos)
    assert statuses == ["rendering", "rendering", "storing"]
    waiting = [pk for name, *ids in woken if name == "videos.read" for pk in ids]
    for pk in waiting:
        rendering.read(pk)
    assert {fresh(video).status for video in videos} == {Status.STORING}


def test_the_tenth_orders_title_is_not_taken_for_the_firsts(pipeline, owner):
    """HeyGen finds titles by their parts: "… 1" is in "… 10"."""
    pipeline.sandbox.fault(kind="lost", method="POST", path="/v3/videos")
    video = pipeline.order(owner)
    pipeline.dispatch()
    type(video).objects.filter(pk=video.pk).update(attempt=10)
    video = pipeline.submit(video)
    assert video.status == Status.SUBMITTING
    wait_until(lambda: pipeline.renders(video) == 1)
    type(video).objects.filter(pk=video.pk).update(attempt=1)
    assert submitting._find_order(fresh(video), submitting.get_client()) is None
    type(video).objects.filter(pk=video.pk).update(attempt=10)
    assert submitting._find_order(fresh(video), submitting.get_client()) is not None
