"""Missed webhook deliveries are found in HeyGen's event history, whatever its order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genvid.heygen.heygen_types import WebhookNotice
from genvid.tests.factories import make_video
from videos.enums import LearnedBy
from videos.models import ProviderState, WebhookDelivery
from videos.pipeline import incoming_webhooks
from videos.tests.pipeline import charged_once, fresh, gate

pytestmark = pytest.mark.django_db
LONG = 3600.0


@pytest.fixture
def late_render(pipeline, owner, monkeypatch):
    """A render that has ended, is overdue, and whose delivery was lost."""
    monkeypatch.setattr(incoming_webhooks, "DELIVERY_TIMEOUT", timedelta(0))
    pipeline.sandbox.configure(webhooks="off")
    video = pipeline.finish_render(pipeline.order(owner))
    pipeline.backdate_order(video, LONG)
    return fresh(video)


def calls(pipeline) -> int:
    return pipeline.sandbox.records()["requests"].get("GET /v3/webhooks/events", 0)


def work_off_all() -> None:
    for pk in WebhookDelivery.objects.filter(processed_at=None).values_list("pk", flat=True):
        incoming_webhooks.process_delivery(pk)


# ── Against the sandbox


def test_a_render_whose_delivery_was_lost_is_found_in_the_event_history(late_render):
    assert incoming_webhooks.backfill_missed() == 1
    work_off_all()
    assert (fresh(late_render).status, fresh(late_render).learned_by) == ("storing", LearnedBy.HISTORY)


def test_the_event_history_is_not_read_while_no_video_renders(pipeline):
    assert (incoming_webhooks.backfill_missed(), calls(pipeline)) == (0, 0)


def test_the_event_history_is_not_read_while_no_render_is_overdue(pipeline, owner):
    pipeline.submit(pipeline.order(owner))
    assert (incoming_webhooks.backfill_missed(), calls(pipeline)) == (0, 0)


def test_a_delivery_that_came_already_is_not_stored_twice(late_render):
    assert [incoming_webhooks.backfill_missed() for _ in range(2)] == [1, 0]
    assert WebhookDelivery.objects.count() == 1


def test_a_delivery_that_comes_after_its_backfill_is_not_stored_twice(late_render, pipeline, owner):
    incoming_webhooks.backfill_missed()
    event_id = WebhookDelivery.objects.get().key
    notice = WebhookNotice(event_id, "avatar_video.success", late_render.provider_video_id, None, {})
    assert incoming_webhooks.store_delivery(notice) is False
    work_off_all()
    pipeline.store(late_render)
    assert charged_once(owner, late_render)


def test_a_recent_event_whose_delivery_may_be_under_way_is_left_for_the_next_run(late_render, monkeypatch):
    monkeypatch.setattr(incoming_webhooks, "DELIVERY_TIMEOUT", timedelta(minutes=1))
    assert incoming_webhooks.backfill_missed() == 0
    monkeypatch.setattr(incoming_webhooks, "DELIVERY_TIMEOUT", timedelta(0))
    assert incoming_webhooks.backfill_missed() == 1


def test_the_event_of_a_render_that_is_known_to_have_ended_is_not_stored(late_render, pipeline, owner):
    pipeline.poll(late_render)
    waiting = make_video(owner, "rendering", submitted_at=timezone.now() - timedelta(seconds=LONG))
    assert (incoming_webhooks.backfill_missed(), fresh(waiting).status) == (0, "rendering")
    assert calls(pipeline) == 2


def test_a_history_that_cannot_be_read_is_read_from_the_same_time_later(late_render, pipeline):
    pipeline.sandbox.fault(kind="status", status=503, method="GET", path="/v3/webhooks/events", times=3)
    assert incoming_webhooks.backfill_missed() == 0
    assert ProviderState.objects.get().events_seen_until is None
    assert incoming_webhooks.backfill_missed() == 1


# ── Orders of the history


@pytest.fixture
def past(db, owner, heygen_double, monkeypatch):
    """A history of 250 events in the order given; the last one is of an overdue render of ours."""
    monkeypatch.setattr(incoming_webhooks, "HISTORY_PAGE_SIZE", 100)
    started = timezone.now() - timedelta(seconds=LONG)
    video = make_video(owner, "rendering", submitted_at=started)
    asked = []

    def notice(number: int, happened: float) -> WebhookNotice:
        name = video.provider_video_id if number == 249 else f"strange_{number}"
        when = timezone.now() - timedelta(seconds=happened)
        return WebhookNotice(f"evt_{number}", "avatar_video.success", name, None, {}, when)

    def tell(order):
        events = order([notice(number, 60 + (249 - number) * 100) for number in range(250)])

        def pages(kind: str):
            for event in events if kind == "avatar_video.success" else []:
                asked.append(event.key)
                yield event

        heygen_double.iter_events = pages
        return asked

    return tell


def test_only_the_new_part_of_a_history_with_the_newest_first_is_read(past):
    asked = past(lambda events: events[::-1])
    assert (incoming_webhooks.backfill_missed(), len(asked)) == (1, 100)


def test_all_of_a_history_with_the_oldest_first_is_read(past):
    asked = past(lambda events: events)
    assert (incoming_webhooks.backfill_missed(), len(asked)) == (1, 250)


def test_an_event_history_without_times_is_read_whole(past, heygen_double):
    past(lambda events: [WebhookNotice(e.key, e.event_type, e.video_id, None, {}) for e in events])
    assert incoming_webhooks.backfill_missed() == 1


def test_reading_stops_at_a_limit_in_a_history_that_never_ends(past, monkeypatch):
    monkeypatch.setattr(incoming_webhooks, "MAX_HISTORY_EVENTS", 120)
    asked = past(lambda events: events)
    assert (incoming_webhooks.backfill_missed(), len(asked)) == (0, 120)


def test_events_older_than_the_oldest_render_are_not_read_after_a_long_pause(past):
    gate()
    ProviderState.objects.update(events_seen_until=timezone.now() - timedelta(days=9))
    asked = past(lambda events: events[::-1])
    assert (incoming_webhooks.backfill_missed(), len(asked)) == (1, 100)
