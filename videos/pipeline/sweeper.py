"""The sweep: finds work whose message was lost, statuses past their deadline, and unfinished cleanups."""

from datetime import timedelta

import structlog

from genvid import cache, database_clock
from genvid.leasing import sweep
from videos import jobs, operator_alarms
from videos.enums import Status
from videos.listening import speaking
from videos.media import resumable_downloads
from videos.models import Batch, Video, WebhookDelivery
from videos.pipeline import overdue, release_check
from videos.provider import provider_alarms
from videos.querysets import VideoQuerySet, in_statuses
from videos.queue import queue_snapshot

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
LEFTOVER_SECONDS = 6 * 3600.0
PURGE_AFTER = timedelta(seconds=30)
PURGE_ALARM_AFTER = timedelta(hours=6)
PURGE_ALARM_SECONDS = 3600.0
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
    speaking.enqueue_due()
    speaking.give_up_overdue()
    enqueue_deliveries()
    enqueue_purges()
    alarm_late_purges()
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
        overdue.end_overdue()
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


def enqueue_deliveries() -> None:
    late = WebhookDelivery.objects.filter(processed_at=None, received_at__lt=database_clock.now() - DELIVERY_AFTER)
    sweep(late, jobs.PROCESS_DELIVERY, most=BATCH_SIZE)


def enqueue_cancellations() -> None:
    waiting = Video.objects.queued().filter(batch__isnull=False).values("batch")
    canceled = Batch.objects.filter(canceled_at__lt=database_clock.now() - CANCEL_AFTER, pk__in=waiting)
    sweep(canceled, jobs.CANCEL_BATCH, most=BATCH_SIZE)


def enqueue_purges() -> None:
    """The newest first: those that fail again and again must not keep the others waiting."""
    sweep(_unpurged(PURGE_AFTER).order_by("-deleted_at"), jobs.PURGE, most=BATCH_SIZE)


def _unpurged(after: timedelta) -> VideoQuerySet:
    return Video.objects.filter(deleted_at__lt=database_clock.now() - after, purged_at=None)


def alarm_late_purges() -> None:
    # A sweep comes every few seconds, and each alarm is counted.
    if not cache.is_first_in("videos.late_purges", PURGE_ALARM_SECONDS):
        return
    if count := _unpurged(PURGE_ALARM_AFTER).order_by().count():
        hours = PURGE_ALARM_AFTER // timedelta(hours=1)
        text = f"{count} videos were deleted more than {hours} hours ago and are still in our storage or at HeyGen."
        operator_alarms.raise_alarm("video_removal_fails", "", text)
