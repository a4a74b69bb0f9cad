"""HeyGen's webhooks: each is stored raw, and later makes a worker read its video again."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q

from avatars.own import hints
from genvid import database_clock
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import WebhookNotice
from genvid.heygen.webhook_signature import BadSignature, verify
from genvid.jobs import enqueue
from genvid.process_cache import Remembered
from genvid.statements import insert_if_absent
from videos import jobs, metrics
from videos.enums import LearnedBy, Status
from videos.models import ProviderState, ProviderWebhook, Video, WebhookDelivery
from videos.pipeline.polling import poll_sooner, refresh_video
from videos.provider import provider_gate
from videos.provider.heygen_clients import client_for
from videos.provider.webhook_registration import VIDEO_EVENTS
from videos.queue import render_times

logger = structlog.get_logger(__name__)
OLD_SECRET_LIFETIME = timedelta(hours=24)
HISTORY_OVERLAP = timedelta(minutes=3)
"""HeyGen may list an event later than its timestamp says."""
MAX_HISTORY_EVENTS = 1000
HISTORY_PAGE_SIZE = 100
MAX_CHECKED_RENDERS = 100
DELIVERY_TIMEOUT = timedelta(seconds=15)
UNKNOWN_VIDEO_TIMEOUT = timedelta(minutes=5)
"""A delivery may arrive before the answer to our order has been stored."""
REMEMBERED_SECONDS = 5.0
FOLLOWED_BY = (
    *Video.WORKED_ON_BY,
    *("id", "captions", "submitted_at", "accepted_at", "batch_id", "credits_held", "credits_charged"),
)
"""Columns that reading and moving a render need; what else a failed one needs is read on access."""
COLUMNS = ", ".join(f"video.{name}" for name in FOLLOWED_BY)
# Never look up an empty id: every video that HeyGen has not accepted yet has none.
RENDER_NAMED_BY = f"""
SELECT {COLUMNS}, delivery.missed FROM videos_webhookdelivery delivery
JOIN videos_video video ON video.provider_video_id = delivery.provider_video_id
WHERE delivery.id = %s AND delivery.processed_at IS NULL AND delivery.provider_video_id <> ''
  AND delivery.event_type LIKE 'avatar~_video.%%' ESCAPE '~' AND video.status = %s
"""  # noqa: S608 - our own names


def verify_delivery(body: bytes, headers: Mapping[str, str]) -> None:
    """Raises BadSignature."""
    now = database_clock.now()
    try:
        verify(body, headers, _remembered_secrets(), now)
    except BadSignature:
        # The secret may have been rotated since this process has looked.
        verify(body, headers, signing_secrets(), now)


def signing_secrets() -> list[str]:
    young = Q(retired_at=None) | Q(retired_at__gt=database_clock.now() - OLD_SECRET_LIFETIME)
    stored = [webhook.secret for webhook in ProviderWebhook.objects.filter(young)]
    return [*stored, *settings.HEYGEN_WEBHOOK_SECRETS]


_remembered_secrets = Remembered(signing_secrets, REMEMBERED_SECONDS)


def store_delivery(notice: WebhookNotice, *, missed: bool = False) -> bool:
    """Store a verified delivery and enqueue it. False for a duplicate. `missed`: found in HeyGen's history."""
    delivery = WebhookDelivery(
        key=notice.key[:255],
        event_type=notice.event_type[:100],
        provider_video_id=(notice.video_id or "")[:200],
        callback_id=(notice.callback_id or "")[:200],
        payload=dict(notice.raw),
        missed=missed,
    )
    fresh = insert_if_absent(delivery)
    metrics.deliveries.add("fresh" if fresh else "again")
    if fresh:
        enqueue(jobs.PROCESS_DELIVERY, str(delivery.pk))
    return fresh


def backfill_deliveries() -> None:
    backfill_missed()
    poll_sooner()


def backfill_missed() -> int:
    since = _missing_since(database_clock.now())
    if since is None:
        return 0
    started = database_clock.now()
    try:
        missed = sum(_store_missed(kind, since) for kind in VIDEO_EVENTS)
    except HeyGenError as error:
        logger.warning("backfill_retried_later", error=str(error))
        return 0
    ProviderState.objects.filter(name=provider_gate.NAME).update(events_seen_until=started)
    return missed


def _missing_since(now: datetime) -> datetime | None:
    rendering = Video.objects.live().rendering()
    oldest = list(rendering.order_by("submitted_at")[:MAX_CHECKED_RENDERS])
    if not any(
        now - video.submitted_at > timedelta(seconds=render_times.render_times_of(video).p99) for video in oldest
    ):
        return None
    state, _ = ProviderState.objects.get_or_create(name=provider_gate.NAME)
    first: datetime = oldest[0].submitted_at
    return max(state.events_seen_until or first, first) - HISTORY_OVERLAP


def _store_missed(event_type: str, since: datetime) -> int:
    history = islice(get_client().iter_events(event_type), MAX_HISTORY_EVENTS)
    return sum(store_delivery(notice, missed=True) for notice in _missed(_recent(history, since)))


def _recent(history: Iterator[WebhookNotice], since: datetime) -> Iterator[list[WebhookNotice]]:
    """The pages of events after `since`. HeyGen documents no order, so unordered pages are all read."""
    while page := list(islice(history, HISTORY_PAGE_SIZE)):
        recent = [notice for notice in page if notice.created_at is None or notice.created_at >= since]
        yield recent
        first, last = page[0].created_at, page[-1].created_at
        if len(recent) < len(page) and first and last and first >= last:
            return


def _missed(pages: Iterable[list[WebhookNotice]]) -> Iterator[WebhookNotice]:
    for page in pages:
        known = _stored_keys({notice.key[:255] for notice in page if notice.key})
        ids = [notice.video_id for notice in page if notice.video_id]
        open_ends = Video.objects.live().filter(provider_video_id__in=ids, status=Status.RENDERING)
        wanted = set(open_ends.values_list("provider_video_id", flat=True))
        for notice in page:
            if notice.video_id in wanted and notice.key and notice.key[:255] not in known and _is_overdue(notice):
                yield notice


def _stored_keys(keys: set[str]) -> set[str]:
    return set(WebhookDelivery.objects.filter(key__in=keys).values_list("key", flat=True))


def _is_overdue(notice: WebhookNotice) -> bool:
    return notice.created_at is None or database_clock.now() - notice.created_at >= DELIVERY_TIMEOUT


def process_delivery(delivery_id: int) -> None:
    video = _render_named_by(delivery_id)
    outcome = _read_again(video, missed=video.missed) if video else _handle_unusual_delivery(delivery_id)
    if outcome is not None:
        done = WebhookDelivery.objects.filter(pk=delivery_id)
        done.update(processed_at=database_clock.now(), outcome=outcome)
        metrics.delivery_outcomes.add(outcome)


def _render_named_by(delivery_id: int) -> Any:
    """The video of a delivery that nobody has processed, while it is rendering; its `missed` is the delivery's."""
    return next(iter(list(Video.objects.raw(RENDER_NAMED_BY, [delivery_id, Status.RENDERING.value]))), None)


def _read_again(video: Video, *, missed: bool) -> str:
    refresh_video(video, client_for(video), LearnedBy.HISTORY if missed else LearnedBy.WEBHOOK)
    return "read again"


def _handle_unusual_delivery(delivery_id: int) -> str | None:
    delivery = WebhookDelivery.objects.filter(pk=delivery_id, processed_at=None).first()
    return _handle_delivery(delivery) if delivery else None


def _handle_delivery(delivery: WebhookDelivery) -> str | None:
    if hints.is_about_faces(delivery.event_type):
        return hints.look_sooner(delivery.payload)
    if not delivery.event_type.startswith("avatar_video."):
        logger.info("webhook_ignored", event_type=delivery.event_type)
        return "not for us"
    if not delivery.provider_video_id:
        # Never look up an empty id: every video that HeyGen has not accepted yet has none.
        return "names no video"
    video = Video.objects.filter(provider_video_id=delivery.provider_video_id).first()
    if video is None:
        waiting = database_clock.now() - delivery.received_at < UNKNOWN_VIDEO_TIMEOUT
        return None if waiting else "no such video"
    if video.status != Status.RENDERING:
        return f"already {video.status}"
    return _read_again(video, missed=delivery.missed)
