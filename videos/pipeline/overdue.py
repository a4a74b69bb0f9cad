"""Ends videos past the deadline of their status, a few at a time.

Many that are overdue at once are hardly many accidents: a clock is wrong, the database was restored, or nobody worked
for a day. Then none is ended until staff say so.
"""

from collections.abc import Callable, Iterable

import structlog
from django.db.models import Count, Q
from django.db.models.functions import Now

from genvid import cache, request_context
from videos import operator_alarms, settlement
from videos.enums import PROCESSING, WAITING, Status
from videos.models import Video
from videos.pipeline import polling, storage, submission
from videos.querysets import in_statuses
from videos.queue import waiting_reasons

logger = structlog.get_logger(__name__)
BATCH_SIZE = 200
MAX_AT_ONCE = 5
MAX_SHARE = 1 / 3
"""Of the videos in one status, and of all in PROCESSING. More and more than MAX_AT_ONCE are not ended without staff."""
ALARM_SECONDS = 60.0
TEXT = (
    "{overdue} of {count} videos in status {status} are past their deadline. So many at once may mean a wrong clock or "
    "a restored database, so none is ended, and their credits stay held. Look at the clocks and at HeyGen; then end "
    'them with "End overdue videos" under Provider states, or with `manage.py end_overdue`.'
)


def end_overdue() -> None:
    videos = list(Video.objects.overdue().select_related("avatar")[:BATCH_SIZE])
    if len(videos) > MAX_AT_ONCE and (stopped := _statuses_with_too_many()):
        others = Video.objects.overdue().exclude(status__in=stopped)
        videos = list(others.select_related("avatar")[:BATCH_SIZE])
    _end(videos)


def end_all_overdue() -> int:
    """What staff have confirmed: all that are overdue now. Returns how many those were."""
    ids = list(Video.objects.overdue().values_list("pk", flat=True))
    for first in range(0, len(ids), BATCH_SIZE):
        some = Video.objects.overdue().filter(pk__in=ids[first : first + BATCH_SIZE])
        _end(some.select_related("avatar"))
    return len(ids)


def _statuses_with_too_many() -> set[str]:
    waiting = Video.objects.filter(in_statuses(WAITING)).order_by().values_list("status")
    counts = waiting.annotate(count=Count("pk"), late=Count("pk", filter=Q(deadline_at__lte=Now())))
    by_status = {status: (count, late) for status, count, late in counts}
    stopped = {status for status, figures in by_status.items() if _are_too_many(*figures)}
    for status in stopped:
        _alarm(status, status, *by_status[status])
    processing = [by_status[status] for status in PROCESSING if status in by_status]
    count, late = sum(count for count, _ in processing), sum(late for _, late in processing)
    if _are_too_many(count, late):
        if stopped.isdisjoint(PROCESSING):
            _alarm("processing", ", ".join(sorted(PROCESSING)), count, late)
        stopped.update(PROCESSING)
    return stopped


def _are_too_many(count: int, late: int) -> bool:
    return late > max(MAX_AT_ONCE, count * MAX_SHARE)


def _alarm(about: str, status: str, count: int, late: int) -> None:
    if cache.is_first_in(f"videos.many_overdue.{about}", ALARM_SECONDS):
        text = TEXT.format(overdue=late, count=count, status=status)
        operator_alarms.raise_alarm("many_videos_overdue", about, text)


def _end(videos: Iterable[Video]) -> None:
    for video in videos:
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


GIVE_UP: dict[Status, Callable[[Video], None]] = {
    Status.QUEUED: give_up_waiting,
    Status.SUBMITTING: submission.give_up_submission,
    Status.RENDERING: polling.give_up_render,
    Status.STORING: storage.give_up_storing,
}
