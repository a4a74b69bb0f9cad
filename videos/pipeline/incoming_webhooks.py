"""HeyGen's webhooks: stored raw, processed later. Each only says which video to read again."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import WebhookNotice
from genvid.jobs import enqueue
from videos import jobs, metrics
from videos.enums import LearnedBy, Status
from videos.models import ProviderState, ProviderWebhook, Video, WebhookDelivery
from videos.pipeline.polling import poll_sooner, refresh_video
from videos.provider import provider_gate
from videos.provider.heygen_clients import client_for
from videos.provider.webhook_registration import EVENTS
from videos.queue import render_times

logger = structlog.get_logger(__name__)
OLD_SECRET_LIFETIME = timedelta(hours=24)
HISTORY_OVERLAP = timedelta(minutes=3)
"""An event may enter HeyGen's history later than its own time says."""
HISTORY_ROWS = 1000
HISTORY_PAGE = 100
OLDEST = 100
"""Renders that are looked at to see whether any is late."""
ON_ITS_WAY = timedelta(seconds=15)
"""A younger event may still be delivered by itself."""
PATIENCE = timedelta(minutes=5)
"""A delivery may overtake the answer to our order: that long it waits for the video to be known as rendering."""


def signing_secrets() -> list[str]:
    """The secrets that a delivery may be signed with, those replaced lately included."""
    young = Q(retired_at=None) | Q(retired_at__gt=timezone.now() - OLD_SECRET_LIFETIME)
    stored = [webhook.secret for webhook in ProviderWebhook.objects.filter(young)]
    return [*stored, *settings.HEYGEN_WEBHOOK_SECRETS]


def store_delivery(notice: WebhookNotice, *, missed: bool = False) -> bool:
    """Store a verified delivery under its key and wake a worker. False when it has come before.

    `missed`: it did not come, but was found in HeyGen's history.
    """
    delivery, fresh = WebhookDelivery.objects.get_or_create(
        key=notice.key[:255],
        defaults={
            "event_type": notice.event_type[:100],
            "provider_video_id": (notice.video_id or "")[:200],
            "callback_id": (notice.callback_id or "")[:200],
            "payload": dict(notice.raw),
            "missed": missed,
        },
    )
    metrics.deliveries.add("fresh" if fresh else "again")
    if fresh:
        enqueue(jobs.WORK_OFF_DELIVERY, str(delivery.pk))
    return fresh


def backfill_deliveries() -> None:
    """Keep webhooks that never came, then bring forward the polls that relied on webhooks."""
    backfill_missed()
    poll_sooner()


def backfill_missed() -> int:
    """Read HeyGen's own history of events, and keep those whose delivery never reached us. Returns how many."""
    since = _missing_since(timezone.now())
    if since is None:
        return 0
    started = timezone.now()
    try:
        missed = sum(_keep_missed(kind, since) for kind in EVENTS)
    except HeyGenError as error:
        logger.warning("backfill_postponed", error=str(error))
        return 0
    ProviderState.objects.filter(name=provider_gate.NAME).update(events_seen_until=started)
    return missed


def _missing_since(now: datetime) -> datetime | None:
    """From when on news may have been lost; None while no render is late, for then nothing is missed."""
    rendering = Video.objects.live().filter(status=Status.RENDERING, submitted_at__isnull=False)
    oldest = list(rendering.order_by("submitted_at")[:OLDEST])
    if not any(
        now - video.submitted_at > timedelta(seconds=render_times.render_times_of(video).p99) for video in oldest
    ):
        return None
    state, _ = ProviderState.objects.get_or_create(name=provider_gate.NAME)
    first: datetime = oldest[0].submitted_at
    return max(state.events_seen_until or first, first) - HISTORY_OVERLAP


def _keep_missed(event_type: str, since: datetime) -> int:
    history = islice(get_client().iter_events(event_type), HISTORY_ROWS)
    return sum(store_delivery(notice, missed=True) for notice in _missed(_recent(history, since)))


def _recent(history: Iterator[WebhookNotice], since: datetime) -> Iterator[list[WebhookNotice]]:
    """The pages of what happened after `since`. HeyGen promises no order: if none shows, all is read."""
    while page := list(islice(history, HISTORY_PAGE)):
        recent = [notice for notice in page if notice.created_at is None or notice.created_at >= since]
        yield recent
        first, last = page[0].created_at, page[-1].created_at
        if len(recent) < len(page) and first and last and first >= last:
            return


def _missed(pages: Iterable[list[WebhookNotice]]) -> Iterator[WebhookNotice]:
    """Those that we do not have, of videos whose end we do not know. Nearly all came by themselves."""
    for page in pages:
        known = _known({notice.key[:255] for notice in page if notice.key})
        ids = [notice.video_id for notice in page if notice.video_id]
        open_ends = Video.objects.live().filter(provider_video_id__in=ids, status=Status.RENDERING)
        wanted = set(open_ends.values_list("provider_video_id", flat=True))
        for notice in page:
            if notice.video_id in wanted and notice.key and notice.key[:255] not in known and _is_overdue(notice):
                yield notice


def _known(keys: set[str]) -> set[str]:
    return set(WebhookDelivery.objects.filter(key__in=keys).values_list("key", flat=True))


def _is_overdue(notice: WebhookNotice) -> bool:
    return notice.created_at is None or timezone.now() - notice.created_at >= ON_ITS_WAY


def process_delivery(delivery_id: int) -> None:
    delivery = WebhookDelivery.objects.filter(pk=delivery_id, processed_at=None).first()
    if delivery is None:
        return
    outcome = _act_on(delivery)
    if outcome is not None:
        done = WebhookDelivery.objects.filter(pk=delivery_id)
        done.update(processed_at=timezone.now(), outcome=outcome)
        metrics.delivery_outcomes.add(outcome)


def _act_on(delivery: WebhookDelivery) -> str | None:
    """What came of it; None to try again later."""
    if not delivery.event_type.startswith("avatar_video."):
        logger.info("webhook_ignored", event_type=delivery.event_type)
        return "not for us"
    if not delivery.provider_video_id:
        # Never look up "no id": every video that HeyGen has not taken yet has none.
        return "names no video"
    video = Video.objects.filter(provider_video_id=delivery.provider_video_id).first()
    if video is None:
        waiting = timezone.now() - delivery.received_at < PATIENCE
        return None if waiting else "no such video"
    if video.status != Status.RENDERING:
        return f"already {video.status}"
    refresh_video(video, client_for(video), LearnedBy.HISTORY if delivery.missed else LearnedBy.WEBHOOK)
    return "read again"
