"""Statements and transactions of each stage of a video's second half, from HeyGen's webhook to the end, exactly."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from genvid import process_cache
from genvid.heygen.heygen_types import RenderState, WebhookNotice
from genvid.tests.asserts import statements_of
from genvid.tests.factories import make_caller, make_endpoint, make_key, make_video
from videos import settlement
from videos.enums import Status
from videos.models import Video, WebhookDelivery
from videos.pipeline import incoming_webhooks, polling, storage
from videos.provider import heygen_clients, provider_gate
from videos.tests.batches import make_batch, payload_for, videos_of
from videos.tests.fake_heygen import FakeHeyGen, Render
from videos.tests.pipeline import fresh

pytestmark = pytest.mark.django_db(transaction=True)
Counts = tuple[int, int]
"""Statements and transactions."""


@pytest.fixture
def heygen(monkeypatch):
    fake = FakeHeyGen()
    for module in (heygen_clients, provider_gate, incoming_webhooks, polling):
        monkeypatch.setattr(module, "get_client", lambda: fake)
    return fake


@pytest.fixture
def person(db):
    return make_caller(balance=1000)


@pytest.fixture
def warm(person, heygen, avatar, monkeypatch):
    """The process has completed a video before, and remembers: rates, tiers, avatar, and that the gate is open."""
    monkeypatch.setattr(process_cache, "now", lambda: 1.0)
    store(rendered(person, heygen, avatar))


def rendered(person: Any, heygen: FakeHeyGen, avatar: Any, state: RenderState = RenderState.COMPLETED) -> Video:
    """A video that HeyGen has ended, ordered a minute ago; its row says `rendering`."""
    video = make_video(person, Status.RENDERING, avatar=avatar)
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    Video.objects.filter(pk=video.pk).update(submitted_at=a_minute_ago)
    failure = "rendering_failed" if state is RenderState.FAILED else ""
    name = str(video.provider_video_id)
    heygen.renders[name] = Render(name, f"genvid {video.pk} 1", 2, state, failure)
    return fresh(video)


def counts(action: Callable[[], Any]) -> Counts:
    with CaptureQueriesContext(connection) as captured:
        action()
    statements, transactions, is_open = 0, 0, False
    for text in (query["sql"] for query in captured.captured_queries):
        transactions += text == "BEGIN" or not (is_open or text == "COMMIT")
        is_open = text == "BEGIN" or (is_open and text != "COMMIT")
        statements += text not in ("BEGIN", "COMMIT")
    return statements, transactions


def deliver(video: Video) -> Counts:
    notice = WebhookNotice(f"evt_{video.pk}", "avatar_video.success", video.provider_video_id, None, {"a": 1})
    return counts(lambda: incoming_webhooks.store_delivery(notice))


def work_off(video: Video) -> Counts:
    if not WebhookDelivery.objects.filter(provider_video_id=video.provider_video_id).exists():
        deliver(video)
    delivery = WebhookDelivery.objects.get(provider_video_id=video.provider_video_id)
    return counts(lambda: incoming_webhooks.process_delivery(delivery.pk))


def store(video: Video) -> Counts:
    work_off(video)
    return counts(lambda: storage.store_video(str(video.pk)))


def test_a_webhook_is_taken_in_one_statement(warm, person, heygen, avatar):
    video = rendered(person, heygen, avatar)
    assert [deliver(video), deliver(video)] == [(1, 1), (1, 1)]


def test_a_webhook_is_worked_off_in_three_statements(warm, person, heygen, avatar):
    video = rendered(person, heygen, avatar)
    assert (work_off(video), fresh(video).status) == ((3, 3), "storing")


def test_a_video_is_stored_and_settled_in_eight_statements(warm, person, heygen, avatar):
    """Lease; tier, move, hold and wallet, lot, entry, endpoints, mail."""
    video = rendered(person, heygen, avatar)
    assert (store(video), fresh(video).status) == ((8, 2), "completed")


def test_a_video_of_an_api_key_returns_what_it_did_not_spend_in_one_statement_more(warm, person, heygen, avatar):
    """And sends no mail."""
    key = make_key(person).key
    video = rendered(person, heygen, avatar)
    Video.objects.filter(pk=video.pk).update(api_key=key)
    video.refresh_from_db()
    assert store(video) == (7, 2)


def test_what_an_event_shows_is_read_in_one_statement(warm, person, heygen, avatar):
    video = rendered(person, heygen, avatar)
    work_off(video)
    make_endpoint(person)
    reads = [
        text for text in statements_of(lambda: storage.store_video(str(video.pk))) if 'FROM "videos_video"' in text
    ]
    assert len(reads) == 1


def test_the_end_of_a_video_of_a_batch_costs_two_statements_more(warm, person, avatar):
    """The batch counts its open videos, and has not ended."""
    first = videos_of(make_batch(person, payload_for(avatar)))[0]
    assert counts(lambda: settlement.cancel_video(first, reason="test")) == (5, 1)


def test_a_failed_render_is_worked_off_in_six_statements(warm, person, heygen, avatar):
    """Read; move, hold and wallet, endpoints, mail; outcome."""
    video = rendered(person, heygen, avatar, RenderState.FAILED)
    assert (work_off(video), fresh(video).status) == ((6, 3), "failed")


def test_a_queued_video_is_canceled_in_three_statements(warm, person):
    """Move, hold and wallet, endpoints."""
    video = make_video(person)
    assert counts(lambda: settlement.cancel_video(video, reason="test")) == (3, 1)


def test_a_requeued_video_costs_two_statements(warm, person):
    video = fresh(make_video(person, Status.SUBMITTING))
    assert counts(lambda: settlement.requeue_video(video, reason="test", why="Busy.")) == (2, 1)


def test_a_move_in_no_transaction_is_one_statement_and_one_transaction(warm, person):
    video = make_video(person)
    assert counts(lambda: video.move(Status.SUBMITTING, reason="test")) == (1, 1)


def test_a_poll_that_finds_a_finished_render_moves_it_in_one_statement(warm, person, heygen, avatar):
    video = rendered(person, heygen, avatar)
    assert counts(lambda: polling.refresh_video(video, heygen, "poll")) == (1, 1)
