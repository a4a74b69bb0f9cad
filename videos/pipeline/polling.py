"""Following renders: polls many videos per call, and reads one video for polls and webhooks alike."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from genvid import cache, database_clock, request_context
from genvid.call_threads import call_each
from genvid.heygen.heygen_client import HeyGenClient, get_client
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, OperatorProblem, Refused
from genvid.heygen.heygen_types import RemoteVideo, RenderState
from genvid.jobs import enqueue_on_commit
from genvid.leasing import Backoff, from_now
from genvid.statements import update_returning
from videos import jobs, operator_alarms
from videos.enums import LearnedBy, Status
from videos.models import Video
from videos.pipeline import failed_renders
from videos.pipeline.poll_intervals import delay_polls, interval_for, reschedule, schedule_next_poll
from videos.provider import provider_gate
from videos.provider.heygen_clients import client_for
from videos.queue import render_times

logger = structlog.get_logger(__name__)
MAX_IDS_PER_CALL = 100
MAX_CALLS = 25
MAX_READS = 40
"""A poll calls HeyGen less than fifty times, which is what it permits in a second."""
POLL_LEASE = 60.0
READ_AFTER_WRITE_SECONDS = 120.0
"""HeyGen may not know a video right after it accepted the order."""
UNKNOWN_SECONDS = 4.0
MIN_DELAYED_SECONDS = 60.0
FILE_BACKOFF = Backoff(5.0, most=320.0)
MAX_POLL_SECONDS = 15.0
"""So long after a poll that was killed, another may begin."""
POLLED = ("engine", "estimated_seconds", "expected_render_seconds", "provider_video_id", "submitted_at", "accepted_at",
          "moved_at", "is_test", "status", "attempt", "calls", "tries", "waiting_reason")  # fmt: skip
KEY = "videos.polling"


def poll_all() -> None:
    poll_due()
    poll_tests()


def poll_due() -> int:
    """Ask HeyGen about the renders that are due, a hundred in a call. Returns about how many."""
    due = _due_renders()
    # Two polls at once would ask twice, and do no further harm.
    if not due or not cache.is_first_in(KEY, MAX_POLL_SECONDS):
        return 0
    client = get_client()
    try:
        count, ended = _ask_all(client, due)
    finally:
        cache.delete(KEY)
    # The next poll may begin: these are leased one by one.
    _read_each(client, ended)
    return count


def _ask_all(client: HeyGenClient, due: list[Video]) -> tuple[int, list[Video]]:
    """How many were asked about, and those that have ended and are to be read."""
    others = _renders_due_soon(-len(due) % MAX_IDS_PER_CALL, [video.pk for video in due])
    asked = [*due, *others]
    groups = [asked[first : first + MAX_IDS_PER_CALL] for first in range(0, len(asked), MAX_IDS_PER_CALL)]
    states: dict[str, RenderState] = {}
    for group, answer in call_each(partial(_ask, client), groups):
        if isinstance(answer, HeyGenError):
            _handle_unanswered(client, [video for video in group if video not in set(others)], answer)
        else:
            states |= {video.provider_video_id or "": RenderState.RUNNING for video in group} | answer
    due, others = ([video for video in part if video.provider_video_id in states] for part in (due, others))
    return len(asked), _apply_statuses(due, others, states)


def _ask(client: HeyGenClient, videos: list[Video]) -> tuple[list[Video], dict[str, RenderState] | HeyGenError]:
    try:
        return videos, client.get_statuses([video.provider_video_id or "" for video in videos])
    except HeyGenError as error:
        return videos, error


def _handle_unanswered(client: HeyGenClient, due: list[Video], error: HeyGenError) -> None:
    if isinstance(error, (Refused, NotFound)):
        # One of them is the cause: read one by one, so that it does not stop the others.
        _read_each(client, due)
    else:
        _retry_all_later(due, error)


def _due_renders() -> list[Video]:
    due = Video.objects.live().rendering().due()
    return list(due.only(*POLLED)[: MAX_CALLS * MAX_IDS_PER_CALL])


def _renders_due_soon(count: int, asked: Collection[UUID]) -> list[Video]:
    if count == 0 or render_times.webhooks_arrive():
        return []
    # Less than a lease away, which leaves out renders that another worker is reading.
    soon = Video.objects.live().rendering().filter(tries=0, due_at__lte=from_now(POLL_LEASE / 2))
    return list(soon.exclude(pk__in=asked).order_by("due_at").only(*POLLED)[:count])


def _apply_statuses(due: list[Video], others: list[Video], states: dict[str, RenderState]) -> list[Video]:
    def has_ended(video: Video) -> bool:
        state = states[video.provider_video_id or ""]
        return state.is_final or (state is RenderState.NOT_FOUND and not _is_newly_accepted(video))

    now = database_clock.now()
    schedule_next_poll([video for video in due if not has_ended(video)], now)
    delay_polls([video for video in others if not has_ended(video)], now)
    # Those beyond MAX_READS stay due for the next poll.
    return [video for video in (*due, *others) if has_ended(video)][:MAX_READS]


def _read_each(client: HeyGenClient, videos: list[Video]) -> None:
    """Read these renders beside each other, each by one worker."""
    if not videos:
        return
    unleased = Video.objects.filter(pk__in=[video.pk for video in videos], status=Status.RENDERING)
    unleased = unleased.filter(due_at__lte=from_now(POLL_LEASE / 2))
    ours = [video.pk for video in update_returning(unleased, {"due_at": from_now(POLL_LEASE)}, read=())]
    for video, answer in call_each(partial(read_render, client), list(Video.objects.filter(pk__in=ours))):
        _apply_safely(video, answer)


def _apply_safely(video: Video, answer: RemoteVideo | HeyGenError) -> None:
    try:
        apply_answer(video, answer, LearnedBy.POLL)
    except Exception:
        # An error with one video must not stop the others: it is due again when its lease ends.
        logger.exception("render_not_recorded", video_id=str(video.pk))


def read_video(video_id: str) -> None:
    """Of messages that the release before sends."""
    video = Video.objects.filter(pk=video_id, status=Status.RENDERING).first()
    if video is not None:
        refresh_video(video, client_for(video), LearnedBy.POLL)


def poll_tests() -> None:
    for video in Video.objects.test().rendering().due()[: settings.TEST_MAX_CONCURRENT]:
        if video.claim(POLL_LEASE):
            refresh_video(video, client_for(video), LearnedBy.POLL)


def refresh_video(video: Video, client: HeyGenClient, learned_by: LearnedBy) -> None:
    """Read the render from HeyGen and act on it. Called for webhooks and polls, so it may run twice or late."""
    _, answer = read_render(client, video)
    apply_answer(video, answer, learned_by)


def read_render(client: HeyGenClient, video: Video) -> tuple[Video, RemoteVideo | HeyGenError]:
    """Touches no database, so that many can be read beside each other."""
    with request_context.use(video.request_context):
        try:
            return video, client.get_video(video.provider_video_id or "", captioned=video.captions)
        except HeyGenError as error:
            return video, error


@request_context.under_request_of_row
def apply_answer(video: Video, answer: RemoteVideo | HeyGenError, learned_by: LearnedBy) -> None:
    if isinstance(answer, HeyGenError):
        _handle_unread(video, answer)
    elif answer.state is RenderState.COMPLETED:
        _record_rendered(video, answer, learned_by)
    elif answer.state is RenderState.FAILED:
        failed_renders.end_failed_render(video, answer.failure)
    else:
        reschedule([video], database_clock.now())


def _handle_unread(video: Video, error: HeyGenError) -> None:
    if isinstance(error, NotFound) and _is_newly_accepted(video):
        video.retry_later(UNKNOWN_SECONDS, "HeyGen does not know the video yet")
    elif isinstance(error, NotFound):
        failed_renders.end_lost_render(video, error)
    elif isinstance(error, Refused) and error.is_named:
        failed_renders.end_refused_render(video, error)
    else:
        _retry_all_later([video], error)


def _record_rendered(video: Video, remote: RemoteVideo, learned_by: LearnedBy) -> None:
    if not remote.file_url:
        video.retry_later(FILE_BACKOFF.delay(video.tries + 1), "HeyGen says completed, but names no file yet")
        return
    stored = video.move(
        Status.STORING,
        reason="rendered",
        rendered_at=database_clock.now(),
        provider_finished_at=remote.completed_at,
        learned_by=learned_by,
        render_links=links_of(remote),
        due_at=from_now(),
        deadline_at=from_now(settings.VIDEO_STORE_DEADLINE),
    )
    if stored:
        if not video.is_test:
            provider_gate.record_success(video.submitted_at or database_clock.now(), is_rendered=True)
        enqueue_on_commit(jobs.STORE, str(video.pk))
        enqueue_on_commit(jobs.DISPATCH)


def links_of(remote: RemoteVideo) -> dict[str, Any]:
    return {
        "file_url": remote.file_url,
        "is_captioned": remote.captioned_file_url is not None,
        "subtitles_url": remote.subtitles_url,
        "thumbnail_url": remote.thumbnail_url,
        "duration": remote.duration,
    }


def poll_sooner() -> int:
    """Bring forward polls that were delayed because webhooks arrived, once they stop. Returns how many."""
    if render_times.webhooks_arrive():
        return 0
    now = database_clock.now()
    put_off = Video.objects.live().rendering().filter(due_at__gt=from_now(MIN_DELAYED_SECONDS))
    early = [video.pk for video in put_off if video.due_at and _normal_next_poll(video, now) < video.due_at]
    return Video.objects.filter(pk__in=early, status=Status.RENDERING).update(due_at=from_now())


def _normal_next_poll(video: Video, now: datetime) -> datetime:
    return now + timedelta(seconds=max(render_times.seconds_to_first_poll(video), interval_for(video, now)))


def _is_newly_accepted(video: Video) -> bool:
    return (database_clock.now() - video.moved_at).total_seconds() < READ_AFTER_WRITE_SECONDS


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
