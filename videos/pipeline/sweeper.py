"""The safety net: finds what is due and was never woken, what lasts too long, and what was left half done."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.utils import timezone

from genvid import request_context
from genvid.leasing import sweep
from videos import jobs, operator_alarms, settlement
from videos.enums import Status
from videos.media import resumable_downloads
from videos.models import Batch, Video, WebhookDelivery
from videos.pipeline import polling, release_check, storage, submission
from videos.provider import provider_alarms
from videos.queue import waiting_reasons

logger = structlog.get_logger(__name__)
BATCH = 200
LEFTOVER_SECONDS = 6 * 3600.0
PURGE_AFTER = timedelta(seconds=30)
CANCEL_AFTER = timedelta(seconds=5)
DELIVERY_AFTER = timedelta(seconds=3)


def sweep_all() -> None:
    """Everything that a lost message or a dead worker can leave behind."""
    release_check.note_reasons()
    end_overdue()
    enqueue_due()
    enqueue_deliveries()
    enqueue_purges()
    enqueue_cancellations()
    resumable_downloads.clear_leftovers(LEFTOVER_SECONDS)
    provider_alarms.tell_staff()
    operator_alarms.mail_alarms()


def enqueue_due() -> None:
    """Submissions and downloads whose lease ran out, or whose time has come."""
    for status, job in ((Status.SUBMITTING, jobs.SUBMIT), (Status.STORING, jobs.STORE)):
        sweep(Video.objects.filter(status=status).due(), job, most=BATCH)


def end_overdue() -> None:
    """Statuses that outlived their deadline end, loudly, with all credits given back."""
    for video in Video.objects.overdue().select_related("avatar")[:BATCH]:
        _end(video)


@request_context.under_request_of_row
def _end(video: Video) -> None:
    logger.error("video_overdue", video_id=str(video.pk), status=video.status, why=video.waiting_reason)
    try:
        GIVE_UP[Status(video.status)](video)
    except Exception:
        # One video that cannot be ended must not keep the sweep from the others.
        logger.exception("video_not_ended", video_id=str(video.pk))


def give_up_waiting(video: Video) -> None:
    if video.set_aside_at is not None:
        _give_up_set_aside(video)
        return
    settlement.fail_video(
        video,
        code="provider_unavailable",
        message="The video service took no orders for too long. Nothing was charged.",
        reason="queue_deadline",
        provider_error=waiting_reasons.reasons([video])[video.pk],
    )


def _give_up_set_aside(video: Video) -> None:
    """Staff did not let it go on in time."""
    failed = settlement.fail_video(
        video,
        code="provider_problem",
        message="The video could not be made because of a problem on our side. Nothing was charged.",
        reason="queue_deadline",
        provider_error=video.waiting_reason,
    )
    if failed:
        text = f"Video {video.pk} was set aside and nobody let it go on: it failed, its credits given back. "
        operator_alarms.raise_alarm("set_aside_order_failed", str(video.pk), text + video.waiting_reason)


def enqueue_deliveries() -> None:
    late = WebhookDelivery.objects.filter(processed_at=None, received_at__lt=timezone.now() - DELIVERY_AFTER)
    sweep(late, jobs.WORK_OFF_DELIVERY, most=BATCH)


def enqueue_cancellations() -> None:
    """Batches whose cancellation died half-way."""
    canceled = Batch.objects.filter(canceled_at__lt=timezone.now() - CANCEL_AFTER, videos__status=Status.QUEUED)
    sweep(canceled.distinct(), jobs.CANCEL_BATCH, most=BATCH)


def enqueue_purges() -> None:
    unpurged = Video.objects.filter(deleted_at__lt=timezone.now() - PURGE_AFTER, purged_at=None)
    sweep(unpurged, jobs.PURGE, most=BATCH)


GIVE_UP: dict[Status, Callable[[Video], None]] = {
    Status.QUEUED: give_up_waiting,
    Status.SUBMITTING: submission.give_up_submission,
    Status.RENDERING: polling.give_up_render,
    Status.STORING: storage.give_up_storing,
}
