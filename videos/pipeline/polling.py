"""Following renders: polls many videos per call, and reads one video for polls and webhooks alike."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from genvid import request_context
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, OperatorProblem, Refused
from genvid.heygen.heygen_types import RemoteVideo, RenderState
from genvid.jobs import enqueue, enqueue_on_commit, enqueue_once_on_commit
from genvid.leasing import Backoff, from_now
from videos import jobs, operator_alarms
from videos.enums import LearnedBy, Status
from videos.models import Video
from videos.pipeline import failed_renders
from videos.provider import provider_gate
from videos.provider.heygen_clients import client_for
from videos.querysets import VideoQuerySet
from videos.queue import render_times

logger = structlog.get_logger(__name__)
MAX_IDS_PER_CALL = 100
MAX_CALLS = 50
MAX_INLINE_READS = 5
POLL_LEASE = 60.0
READ_AFTER_WRITE_SECONDS = 120.0
"""HeyGen may not know a video right after it accepted the order."""
MIN_DELAYED_SECONDS = 60.0
FILE_BACKOFF = Backoff(5.0, most=320.0)
DISPATCH_PAUSE = 0.5
INTERVALS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0)


def poll_all() -> None:
    poll_due()
    poll_tests()


def poll_due() -> int:
    asked: set[UUID] = set()
    client = get_client()
    for _ in range(MAX_CALLS):
        due = _claim_due()
        if not due:
            break
        asked.update(video.pk for video in due)
        others = _renders_due_soon(MAX_IDS_PER_CALL - len(due), asked)
        asked.update(video.pk for video in others)
        try:
            states = client.get_statuses([video.provider_video_id or "" for video in (*due, *others)])
        except HeyGenError as error:
            if isinstance(error, (Refused, NotFound)):
                # One of them is the cause: read one by one, so that it does not stop the others.
                _read_each(client, due)
            else:
                _retry_all_later(due, error)
            break
        _apply_statuses(client, due, others, states)
    return len(asked)


def _claim_due() -> list[Video]:
    due = Video.objects.live().rendering().due()
    # Read before locking: most runs find nothing, and must not write.
    if not due.exists():
        return []
    with transaction.atomic():
        videos: list[Video] = list(due.select_for_update(skip_locked=True)[:MAX_IDS_PER_CALL])
        mine = Video.objects.filter(pk__in=[video.pk for video in videos])
        mine.update(due_at=from_now(POLL_LEASE))
    return videos


def _renders_due_soon(count: int, asked: Collection[UUID]) -> list[Video]:
    if count == 0 or render_times.webhooks_arrive():
        return []
    # Less than a lease away, which leaves out renders that another worker is reading.
    soon = Video.objects.live().rendering().filter(tries=0, due_at__lte=from_now(POLL_LEASE / 2))
    return list(soon.exclude(pk__in=asked).order_by("due_at")[:count])


def _apply_statuses(
    client: HeyGenClient, due: list[Video], others: list[Video], states: dict[str, RenderState]
) -> None:
    def has_ended(video: Video) -> bool:
        state = states.get(video.provider_video_id or "", RenderState.RUNNING)
        return state.is_final or (state is RenderState.NOT_FOUND and not _is_newly_accepted(video))

    now = timezone.now()
    schedule_next_poll([video for video in due if not has_ended(video)], now)
    _delay_polls([video for video in others if not has_ended(video)], now)
    ended = [video for video in (*due, *others) if has_ended(video)]
    lease = Video.objects.filter(pk__in=[video.pk for video in ended], status=Status.RENDERING)
    lease.update(due_at=from_now(POLL_LEASE))
    _read_each(client, ended)


def _read_each(client: HeyGenClient, videos: list[Video]) -> None:
    for video in videos[MAX_INLINE_READS:]:
        enqueue(jobs.READ, str(video.pk), context=video.request_context)
    for video in videos[:MAX_INLINE_READS]:
        refresh_video(video, client, LearnedBy.POLL)


def read_video(video_id: str) -> None:
    video = Video.objects.filter(pk=video_id, status=Status.RENDERING).first()
    if video is not None:
        refresh_video(video, client_for(video), LearnedBy.POLL)


def poll_tests() -> None:
    for video in Video.objects.test().rendering().due()[: settings.TEST_MAX_CONCURRENT]:
        if video.claim(POLL_LEASE):
            refresh_video(video, client_for(video), LearnedBy.POLL)


@request_context.under_request_of_row
def refresh_video(video: Video, client: HeyGenClient, learned_by: LearnedBy) -> None:
    """Read the render from HeyGen and act on it. Called for webhooks and polls, so it may run twice or late."""
    try:
        remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    except NotFound as error:
        if _is_newly_accepted(video):
            video.retry_later(INTERVALS[2], "HeyGen does not know the video yet")
        else:
            failed_renders.end_lost_render(video, error)
        return
    except HeyGenError as error:
        if isinstance(error, Refused) and error.is_named:
            failed_renders.end_refused_render(video, error)
        else:
            _retry_all_later([video], error)
        return
    if remote.state is RenderState.COMPLETED:
        _record_rendered(video, remote, learned_by)
    elif remote.state is RenderState.FAILED:
        failed_renders.end_failed_render(video, remote.failure)
    else:
        schedule_next_poll([video], timezone.now())


def _record_rendered(video: Video, remote: RemoteVideo, learned_by: LearnedBy) -> None:
    if not remote.file_url:
        video.retry_later(FILE_BACKOFF.delay(video.tries + 1), "HeyGen says completed, but names no file yet")
        return
    stored = video.move(
        Status.STORING,
        reason="rendered",
        rendered_at=timezone.now(),
        provider_finished_at=remote.completed_at,
        learned_by=learned_by,
        render_links=links_of(remote),
        due_at=from_now(),
        deadline_at=from_now(settings.VIDEO_STORE_DEADLINE),
    )
    if stored:
        if not video.is_test:
            provider_gate.record_success(video.submitted_at or timezone.now(), is_rendered=True)
        enqueue_on_commit(jobs.STORE, str(video.pk))
        enqueue_once_on_commit(jobs.DISPATCH, seconds=DISPATCH_PAUSE)


def links_of(remote: RemoteVideo) -> dict[str, Any]:
    return {
        "file_url": remote.file_url,
        "is_captioned": remote.captioned_file_url is not None,
        "subtitles_url": remote.subtitles_url,
        "thumbnail_url": remote.thumbnail_url,
        "duration": remote.duration,
    }


def schedule_next_poll(videos: Iterable[Video], now: datetime) -> None:
    for seconds, mine in _by_interval(videos, now):
        mine.update(due_at=from_now(seconds), tries=0, waiting_reason="")


def _delay_polls(videos: Iterable[Video], now: datetime) -> None:
    for seconds, mine in _by_interval(videos, now):
        mine.filter(due_at__lt=from_now(seconds)).update(due_at=from_now(seconds))


def _by_interval(videos: Iterable[Video], now: datetime) -> Iterator[tuple[float, VideoQuerySet]]:
    groups: dict[float, list[Video]] = defaultdict(list)
    for video in videos:
        groups[interval_for(video, now)].append(video)
    for seconds, group in groups.items():
        yield seconds, Video.objects.filter(pk__in=[video.pk for video in group], status=Status.RENDERING)


def interval_for(video: Video, now: datetime) -> float:
    """Seconds to the next poll: at most a tenth of the time since the order."""
    elapsed = (now - (video.submitted_at or now)).total_seconds()
    return max((step for step in INTERVALS if step <= elapsed / 10), default=INTERVALS[0])


def poll_sooner() -> int:
    """Bring forward polls that were delayed because webhooks arrived, once they stop. Returns how many."""
    if render_times.webhooks_arrive():
        return 0
    now = timezone.now()
    put_off = Video.objects.live().rendering().filter(due_at__gt=from_now(MIN_DELAYED_SECONDS))
    early = [video.pk for video in put_off if video.due_at and _normal_next_poll(video, now) < video.due_at]
    return Video.objects.filter(pk__in=early, status=Status.RENDERING).update(due_at=from_now())


def _normal_next_poll(video: Video, now: datetime) -> datetime:
    return now + timedelta(seconds=max(render_times.seconds_to_first_poll(video), interval_for(video, now)))


def _is_newly_accepted(video: Video) -> bool:
    return (timezone.now() - video.moved_at).total_seconds() < READ_AFTER_WRITE_SECONDS


def _retry_all_later(videos: list[Video], error: HeyGenError) -> None:
    """Retry later after an error. Problems of our account or load trip the gate and alarm staff, but end no render."""
    if isinstance(error, (OperatorProblem, Busy)) and not all(video.is_test for video in videos):
        provider_gate.trip(error)
        if isinstance(error, Busy):
            # A gate that closes for a moment raises no alarm by itself.
            text = f"HeyGen answers status reads with {error}."
            operator_alarms.raise_alarm("status_reads_refused", error.code, text)
    for video in videos:
        video.retry_later(video.retry_pause(at_least=error.retry_after or 0.0), f"HeyGen: {error}")


def give_up_render(video: Video) -> None:
    try:
        remote = client_for(video).get_video(video.provider_video_id or "", captioned=video.captions)
    except NotFound as error:
        failed_renders.end_lost_render(video, error)
        return
    except HeyGenError as error:
        if isinstance(error, Refused) and error.is_named:
            failed_renders.end_refused_render(video, error)
        else:
            failed_renders.extend_deadline(video, error)
        return
    if remote.state is RenderState.FAILED:
        failed_renders.end_failed_render(video, remote.failure)
    elif remote.state is RenderState.COMPLETED and remote.file_url:
        _record_rendered(video, remote, LearnedBy.POLL)
    else:
        failed_renders.time_out(video)
