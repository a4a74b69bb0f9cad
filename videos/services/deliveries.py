"""HeyGen's webhooks: stored raw first, worked off later. Each is a nudge to read the video again, never the truth."""

from datetime import datetime, timedelta
from itertools import islice, takewhile

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from genvid.broker import enqueue
from genvid.heygen.client import get_client
from genvid.heygen.errors import HeyGenError
from genvid.heygen.types import WebhookNotice
from videos import metrics, provider, tasks
from videos.enums import LearnedBy, Status
from videos.models import ProviderState, ProviderWebhook, Video, WebhookDelivery
from videos.services.registration import EVENTS
from videos.services.rendering import refresh

logger = structlog.get_logger(__name__)
OLD_SECRET_LIFETIME = timedelta(hours=24)
HISTORY_OVERLAP = timedelta(minutes=10)
"""An event may enter HeyGen's history later than its own time says."""
HISTORY_ROWS = 1000
HISTORY_PAGE = 100
PATIENCE = timedelta(minutes=5)
"""A delivery may overtake the answer to our order: that long it waits for the video to be known as rendering."""


def signing_secrets() -> list[str]:
    """The secrets that a delivery may be signed with, those replaced lately included."""
    young = Q(retired_at=None) | Q(retired_at__gt=timezone.now() - OLD_SECRET_LIFETIME)
    stored = [webhook.secret for webhook in ProviderWebhook.objects.filter(young)]
    return [*stored, *settings.HEYGEN_WEBHOOK_SECRETS]


def keep(notice: WebhookNotice) -> bool:
    """Store a verified delivery under its key and wake a worker. False when it has come before."""
    delivery, fresh = WebhookDelivery.objects.get_or_create(
        key=notice.key[:255],
        defaults={
            "event_type": notice.event_type[:100],
            "provider_video_id": (notice.video_id or "")[:200],
            "callback_id": (notice.callback_id or "")[:200],
            "payload": dict(notice.raw),
        },
    )
    metrics.deliveries.add("fresh" if fresh else "again")
    if fresh:
        enqueue(tasks.work_off_delivery, str(delivery.pk))
    return fresh


def backfill_missed() -> int:
    """Read HeyGen's own history of events, and keep those whose delivery never reached us. Returns how many.

    Only while something renders: the history is no news to anybody else.
    """
    rendering = Video.objects.filter(status=Status.RENDERING).order_by("submitted_at").first()
    if rendering is None:
        return 0
    state, _ = ProviderState.objects.get_or_create(name=provider.NAME)
    since = (state.events_seen_until or rendering.submitted_at or timezone.now()) - HISTORY_OVERLAP
    started = timezone.now()
    try:
        missed = sum(_keep_missed(kind, since) for kind in EVENTS)
    except HeyGenError as error:
        logger.warning("backfill_postponed", error=str(error))
        return 0
    ProviderState.objects.filter(name=provider.NAME).update(events_seen_until=started)
    return missed


def _keep_missed(event_type: str, since: datetime) -> int:
    newest_first = islice(get_client().iter_events(event_type), HISTORY_ROWS)
    recent = takewhile(lambda notice: notice.created_at is None or notice.created_at >= since, newest_first)
    missed = 0
    while page := list(islice(recent, HISTORY_PAGE)):
        missed += sum(keep(notice) for notice in _unknown(page))
    return missed


def _unknown(notices: list[WebhookNotice]) -> list[WebhookNotice]:
    """Those that we do not have. Nearly all came by themselves, so they are looked up together."""
    keys = [notice.key[:255] for notice in notices if notice.key]
    known = set(WebhookDelivery.objects.filter(key__in=keys).values_list("key", flat=True))
    return [notice for notice in notices if notice.key and notice.key[:255] not in known]


def work_off(delivery_id: int) -> None:
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
    refresh(video, get_client(), LearnedBy.WEBHOOK)
    return "read again"
