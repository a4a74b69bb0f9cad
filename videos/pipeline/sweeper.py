"""The sweep: finds work whose message was lost, statuses past their deadline, and unfinished cleanups."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.utils import timezone

from genvid import cache, request_context
from genvid.leasing import sweep
from videos import jobs, operator_alarms, settlement
from videos.enums import Status
from videos.media import resumable_downloads
from videos.models import Batch, Video, WebhookDelivery
from videos.pipeline import polling, release_check, storage, submission
from videos.provider import provider_alarms
from videos.querysets import in_statuses
from videos.queue import queue_snapshot, waiting_reasons

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
LEFTOVER_SECONDS = 6 * 3600.0
PURGE_AFTER = timedelta(seconds=30)
CANCEL_AFTER = timedelta(seconds=5)
DELIVERY_AFTER = timedelta(seconds=3)
ENDING = "videos.end_overdue"
MAX_ENDING_SECONDS = 180.0
"""So long after a worker was killed while it ended overdue videos, another may begin."""
QUEUE_NOT_COMPUTED = (
    "No worker computes the order of the queue every second: nobody serves Celery's queue `ticks`, or its worker "
    "hangs. Videos are made as always. Until it is mended, positions and expected times of queued videos are old or "
    "missing."
)


def sweep_all() -> None:
    release_check.update_waiting_reasons()
    enqueue_due()
    enqueue_deliveries()
    enqueue_purges()
    enqueue_cancellations()
    resumable_downloads.clear_leftovers(LEFTOVER_SECONDS)
    compute_stale_queue()
    provider_alarms.mail_staff_changes()
    operator_alarms.mail_alarms()
    end_overdue_alone()


def end_overdue_alone() -> None:
    """Last, and by one thread at a time: HeyGen is asked, and may let each call wait until its timeout."""
    if not cache.is_first_in(ENDING, MAX_ENDING_SECONDS):
        return
    try:
        end_overdue()
    finally:
        cache.delete(ENDING)


def enqueue_due() -> None:
    orders, files = (
        Video.objects.filter(in_statuses({status})).due() for status in (Status.SUBMITTING, Status.STORING)
    )
    sweep(orders, jobs.SUBMIT, most=BATCH_SIZE, per_message=jobs.ORDERS_PER_MESSAGE)
    sweep(files, jobs.STORE, most=BATCH_SIZE)


def compute_stale_queue() -> None:
    """Does the work of the queue `ticks` where nobody does. Staff get an alarm the second time in a row."""
    if not queue_snapshot.is_stale():
        return
    was_computed_here = queue_snapshot.is_by_sweep()
    queue_snapshot.refresh(by_sweep=True)
    if was_computed_here:
        operator_alarms.raise_alarm("queue_not_computed", "", QUEUE_NOT_COMPUTED)


def end_overdue() -> None:
    for video in Video.objects.overdue().select_related("avatar")[:BATCH_SIZE]:
        _give_up(video)


@request_context.under_request_of_row
def _give_up(video: Video) -> None:
    logger.error("video_overdue", video_id=str(video.pk), status=video.status, why=video.waiting_reason)
    try:
        GIVE_UP[Status(video.status)](video)
    except Exception:
        # An error with one video must not stop the sweep of the others.
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
    failed = settlement.fail_video(
        video,
        code="provider_problem",
        message="The video could not be made because of a problem on our side. Nothing was charged.",
        reason="queue_deadline",
        provider_error=video.waiting_reason,
    )
    if failed:
        text = f"Video {video.pk} was set aside and not resumed in time: it failed, its credits given back. "
        operator_alarms.raise_alarm("set_aside_order_failed", str(video.pk), text + video.waiting_reason)


def enqueue_deliveries() -> None:
    late = WebhookDelivery.objects.filter(processed_at=None, received_at__lt=timezone.now() - DELIVERY_AFTER)
    sweep(late, jobs.PROCESS_DELIVERY, most=BATCH_SIZE)


def enqueue_cancellations() -> None:
    waiting = Video.objects.queued().filter(batch__isnull=False).values("batch")
    canceled = Batch.objects.filter(canceled_at__lt=timezone.now() - CANCEL_AFTER, pk__in=waiting)
    sweep(canceled, jobs.CANCEL_BATCH, most=BATCH_SIZE)


def enqueue_purges() -> None:
    unpurged = Video.objects.filter(deleted_at__lt=timezone.now() - PURGE_AFTER, purged_at=None)
    sweep(unpurged, jobs.PURGE, most=BATCH_SIZE)


GIVE_UP: dict[Status, Callable[[Video], None]] = {
    Status.QUEUED: give_up_waiting,
    Status.SUBMITTING: submission.give_up_submission,
    Status.RENDERING: polling.give_up_render,
    Status.STORING: storage.give_up_storing,
}
