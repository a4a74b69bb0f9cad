"""Retention of finished videos: a warning, then the files are deleted, here and at HeyGen. The row stays."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.enums import EventType
from genvid import database_clock, request_context
from genvid.batched_rows import delete_in_batches
from genvid.heygen.heygen_errors import HeyGenError
from genvid.leasing import sweep
from videos import jobs, video_events
from videos.enums import Status
from videos.models import Video, VideoEvent, WebhookDelivery
from videos.pipeline.storage import delete_files
from videos.provider import heygen_clients
from videos.querysets import VideoQuerySet

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
RETRY_PERIOD = timedelta(days=30)
DELIVERY_RETENTION = timedelta(days=30)
PROVIDER_TEXT_RETENTION = timedelta(days=90)
CLEAR_AFTER = timedelta(hours=1)
"""Until then a worker that has not seen the end may still write files."""


def apply_retention() -> None:
    warn_of_expiry()
    expire_due()
    clear_failed()
    enqueue_render_deletions()
    delete_old_deliveries()
    clear_provider_texts()


def warn_of_expiry() -> None:
    soon = database_clock.now() + timedelta(days=settings.RETENTION_WARNING_DAYS)
    for video in (
        _stored_videos().filter(expires_at__lte=soon, expiry_warned_at=None).order_by("expires_at")[:BATCH_SIZE]
    ):
        _warn(video)


@request_context.under_request_of_row
@transaction.atomic
def _warn(video: Video) -> None:
    if _stored_videos().filter(pk=video.pk, expiry_warned_at=None).update(expiry_warned_at=database_clock.now()) == 1:
        _record_event(video, "expiring")
        video_events.publish_video_event(video, EventType.VIDEO_EXPIRING)


def expire_due() -> None:
    for video in _expired().order_by("expires_at")[:BATCH_SIZE]:
        _expire(video)


def _expired() -> VideoQuerySet:
    return _stored_videos().filter(expires_at__lte=database_clock.now())


@request_context.under_request_of_row
def _expire(video: Video) -> None:
    # Earlier videos of this run took time: `expires_at` may have been extended meanwhile.
    if not _expired().filter(pk=video.pk).exists():
        return
    # Files first: a crash before the update leaves a video that is found again, not orphaned files.
    try:
        delete_files(video)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, the next sweep tries again
        logger.warning("expiry_retried_later", video_id=str(video.pk), error=repr(error))
        return
    with transaction.atomic():
        gone = (
            _stored_videos()
            .filter(pk=video.pk)
            .update(
                expired_at=database_clock.now(),
                updated_at=database_clock.now(),
                file="",
                thumbnail="",
                subtitles="",
                subtitles_vtt="",
            )
        )
        if gone == 1:
            _record_event(video, "expired")


def _stored_videos() -> VideoQuerySet:
    return Video.objects.filter(status=Status.COMPLETED, expired_at=None, deleted_at=None)


def _record_event(video: Video, reason: str) -> None:
    VideoEvent.objects.create(video=video, from_status=Status.COMPLETED, to_status=Status.COMPLETED, reason=reason)


def clear_failed() -> None:
    now = database_clock.now()
    ended = Video.objects.filter(status__in=(Status.FAILED, Status.CANCELED), expired_at=None)
    ended = ended.filter(rendered_at__gt=now - RETRY_PERIOD, completed_at__lt=now - CLEAR_AFTER)
    for video in ended.order_by("rendered_at")[:BATCH_SIZE]:
        _clear(video)


@request_context.under_request_of_row
def _clear(video: Video) -> None:
    try:
        delete_files(video)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, the next sweep tries again
        logger.warning("clearing_retried_later", video_id=str(video.pk), error=repr(error))
    else:
        Video.objects.filter(pk=video.pk).update(expired_at=database_clock.now())


def enqueue_render_deletions() -> None:
    left = Video.objects.filter(status=Status.COMPLETED, completed_at__isnull=False)
    left = left.filter(provider_deleted_at=None, provider_video_id__isnull=False)
    wanted = Q(expired_at__gt=database_clock.now() - RETRY_PERIOD)
    if settings.HEYGEN_DELETE_AFTER_STORE:
        wanted |= Q(completed_at__gt=database_clock.now() - RETRY_PERIOD)
    sweep(left.filter(wanted).order_by("completed_at"), jobs.DELETE_RENDER, most=BATCH_SIZE)


def delete_expired_render(video_id: str) -> None:
    video = Video.objects.filter(pk=video_id, status=Status.COMPLETED, provider_deleted_at=None).first()
    if video is not None and video.provider_video_id:
        _delete_render(video)


@request_context.under_request_of_row
def _delete_render(video: Video) -> None:
    try:
        heygen_clients.delete_render(video)
    except HeyGenError as error:
        logger.warning("render_not_deleted", video_id=str(video.pk), error=str(error))
        return
    Video.objects.filter(pk=video.pk).update(provider_deleted_at=database_clock.now())


def delete_old_deliveries() -> None:
    delete_in_batches(WebhookDelivery.objects.filter(received_at__lt=database_clock.now() - DELIVERY_RETENTION))


def clear_provider_texts() -> None:
    """Clears HeyGen's error texts, which may quote the script. Our code and message stay."""
    then = database_clock.now() - PROVIDER_TEXT_RETENTION
    with_texts = Video.objects.filter(completed_at__lt=then).exclude(provider_error="")
    while ids := list(with_texts.order_by("completed_at").values_list("pk", flat=True)[:BATCH_SIZE]):
        VideoEvent.objects.filter(video__in=ids).exclude(detail="").update(detail="")
        Video.objects.filter(pk__in=ids).update(provider_error="", waiting_reason="")
