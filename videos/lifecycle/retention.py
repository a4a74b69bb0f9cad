"""Retention of finished videos: a warning, then the files are deleted, here and at HeyGen. The row stays."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from genvid import database_clock, request_context
from genvid.batched_rows import delete_in_batches, delete_oldest
from genvid.heygen.heygen_errors import HeyGenError
from genvid.leasing import sweep
from videos import jobs, video_events
from videos.enums import Status
from videos.listening import speech_expiry
from videos.models import Video, VideoEvent, WebhookDelivery
from videos.pipeline.storage import delete_files
from videos.provider import heygen_clients
from videos.querysets import VideoQuerySet

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
FILES_AT_ONCE = 20
"""Videos whose files are deleted before their rows say so."""
FILE_FIELDS = ("file", "thumbnail", "subtitles", "subtitles_vtt")
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
    delete_old_events()
    speech_expiry.clear_expired()


def warn_of_expiry() -> None:
    soon = database_clock.now() + timedelta(days=settings.RETENTION_WARNING_DAYS)
    unwarned = _stored_videos().filter(expires_at__lte=soon, expiry_warned_at=None)
    with transaction.atomic():
        videos = list(unwarned.order_by("expires_at")[:BATCH_SIZE].select_for_update())
        if videos:
            _warn(videos)


def _warn(videos: list[Video]) -> None:
    Video.objects.filter(pk__in=[video.pk for video in videos]).update(expiry_warned_at=database_clock.now())
    _record_events(videos, "expiring")
    hear = outgoing_events.subscribed_accounts({video.account_id for video in videos}, EventType.VIDEO_EXPIRING)
    for account_id in hear:
        theirs = [video for video in videos if video.account_id == account_id]
        video_events.publish_video_events(theirs, EventType.VIDEO_EXPIRING)


def expire_due() -> None:
    videos = list(_expired().order_by("expires_at")[:BATCH_SIZE])
    for first in range(0, len(videos), FILES_AT_ONCE):
        # Files first: a crash before the update leaves videos that are found again, not orphaned files.
        _expire([video for video in videos[first : first + FILES_AT_ONCE] if _delete_expired_files(video)])


def _expired() -> VideoQuerySet:
    return _stored_videos().filter(expires_at__lte=database_clock.now())


@request_context.under_request_of_row
def _delete_expired_files(video: Video) -> bool:
    # Earlier videos of this run took time: `expires_at` may have been extended meanwhile.
    return _expired().filter(pk=video.pk).exists() and _delete_files(video, "expiry_retried_later")


@transaction.atomic
def _expire(videos: list[Video]) -> None:
    mine = _stored_videos().filter(pk__in=[video.pk for video in videos])
    gone = list(mine.order_by("pk").select_for_update())
    if gone:
        now, no_files = database_clock.now(), dict.fromkeys(FILE_FIELDS, "")
        Video.objects.filter(pk__in=[video.pk for video in gone]).update(expired_at=now, updated_at=now, **no_files)
        _record_events(gone, "expired")
        video_events.forget_counters(gone)


def _delete_files(video: Video, failure: str) -> bool:
    try:
        delete_files(video)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, the next sweep tries again
        logger.warning(failure, video_id=str(video.pk), error=repr(error))
        return False
    return True


def _stored_videos() -> VideoQuerySet:
    return Video.objects.filter(status=Status.COMPLETED, expired_at=None, deleted_at=None)


def _record_events(videos: list[Video], reason: str) -> None:
    same = {"from_status": Status.COMPLETED, "to_status": Status.COMPLETED, "reason": reason}
    VideoEvent.objects.bulk_create(VideoEvent(video=video, **same) for video in videos)


def clear_failed() -> None:
    now = database_clock.now()
    ended = Video.objects.filter(status__in=(Status.FAILED, Status.CANCELED), expired_at=None)
    ended = ended.filter(rendered_at__gt=now - RETRY_PERIOD, completed_at__lt=now - CLEAR_AFTER)
    cleared = [video.pk for video in ended.order_by("rendered_at")[:BATCH_SIZE] if _clear(video)]
    Video.objects.filter(pk__in=cleared).update(expired_at=database_clock.now())


@request_context.under_request_of_row
def _clear(video: Video) -> bool:
    return _delete_files(video, "clearing_retried_later")


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


def delete_old_events() -> int:
    then = database_clock.now() - timedelta(days=settings.VIDEO_EVENT_DAYS)
    return delete_oldest(VideoEvent.objects.all(), "created_at", then)
