"""Following renders: the bulk poller, and the one service in which poll and webhook end."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from genvid.broker import enqueue_on_commit
from genvid.heygen.client import HeyGenClient, get_client
from genvid.heygen.errors import HeyGenError, NotFound, OperatorProblem
from genvid.heygen.types import Failure, RemoteVideo, RenderState
from videos import provider, tasks
from videos.enums import Status
from videos.models import Video, after
from videos.services import settling

logger = structlog.get_logger(__name__)
BULK = 100
POLL_LEASE = 30.0
READ_AFTER_WRITE_SECONDS = 120.0
"""HeyGen may not know a video yet right after taking its order."""
NO_FILE_SECONDS = 5.0
EXTENSION_SECONDS = 3600.0
"""A deadline moves on by this while HeyGen is silent: without its word nothing is settled."""
INTERVALS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 300.0)


def poll_due() -> int:
    """Ask about all renders that are due, a hundred a call. Returns how many were asked about."""
    now = timezone.now()
    videos = list(Video.objects.due(Status.RENDERING, now)[:BULK])
    if not videos:
        return 0
    # A lease, so that the next tick does not ask about the same ones while this one waits for the answer.
    due = Video.objects.filter(pk__in=[video.pk for video in videos], status=Status.RENDERING, due_at__lte=now)
    due.update(due_at=now + timedelta(seconds=POLL_LEASE))
    client = get_client()
    try:
        states = client.get_statuses([video.provider_video_id or "" for video in videos])
    except HeyGenError as error:
        _postpone_all(videos, error)
        return len(videos)
    _sort_out(client, videos, states)
    return len(videos)


def _sort_out(client: HeyGenClient, videos: list[Video], states: dict[str, RenderState]) -> None:
    running: list[Video] = []
    for video in videos:
        state = states.get(video.provider_video_id or "", RenderState.RUNNING)
        if state.is_final or (state is RenderState.NOT_FOUND and not _is_fresh(video)):
            refresh(video, client)
        else:
            running.append(video)
    ask_again(running, timezone.now())


def refresh(video: Video, client: HeyGenClient) -> None:
    """Read the render from HeyGen and act on it. Webhook and poll both end here; either may come twice or late."""
    try:
        remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    except NotFound as error:
        if _is_fresh(video):
            video.postpone(INTERVALS[2], "HeyGen does not know the video yet")
        else:
            _lost(video, error)
        return
    except HeyGenError as error:
        _postpone_all([video], error)
        return
    if remote.state is RenderState.COMPLETED:
        _rendered(video, remote)
    elif remote.state is RenderState.FAILED:
        _failed(video, remote.failure)
    else:
        ask_again([video], timezone.now())


def _rendered(video: Video, remote: RemoteVideo) -> None:
    if not remote.file_url:
        video.postpone(NO_FILE_SECONDS, "HeyGen says completed, but names no file yet")
        return
    stored = video.move(
        Status.STORING,
        reason="rendered",
        rendered_at=timezone.now(),
        due_at=timezone.now(),
        deadline_at=after(settings.VIDEO_STORE_DEADLINE),
    )
    if stored:
        provider.note_render_finished()
        enqueue_on_commit(tasks.store, str(video.pk))


def _failed(video: Video, failure: Failure | None) -> None:
    if failure is not None and failure.operator_problem:
        # Our own wallet or plan: the customer's video waits, and a new order is placed once HeyGen takes any.
        provider.close(failure.raw_code or failure.code, failure.raw_message, needs_staff=True, until_rendered=True)
        why = f"{failure.raw_code} {failure.raw_message}"
        settling.requeue(video, reason="provider_operator_problem", why=why)
        return
    settling.fail(
        video,
        code=failure.code if failure else "render_failed",
        message=failure.message if failure else "The render failed.",
        retryable=failure.retryable if failure else True,
        reason="failed_at_provider",
        provider_error=f"{failure.raw_code} {failure.raw_message}" if failure else "",
    )


def _lost(video: Video, error: HeyGenError) -> None:
    settling.fail(
        video,
        code="render_lost",
        message="The render was lost at the video service. Nothing was charged.",
        retryable=True,
        reason="unknown_at_provider",
        provider_error=str(error),
    )


def ask_again(videos: Iterable[Video], now: datetime) -> None:
    """Set the next poll of each by how long it has rendered: seconds at first, minutes on the long tail."""
    groups: dict[float, list[Video]] = defaultdict(list)
    for video in videos:
        groups[interval_for(video, now)].append(video)
    for seconds, group in groups.items():
        mine = Video.objects.filter(pk__in=[video.pk for video in group], status=Status.RENDERING)
        mine.update(due_at=now + timedelta(seconds=seconds), waiting_reason="")


def interval_for(video: Video, now: datetime) -> float:
    """A tenth of the time since the order, in steps: late news never comes more than a tenth late."""
    elapsed = (now - (video.submitted_at or now)).total_seconds()
    return next((step for step in INTERVALS if step >= elapsed / 10), INTERVALS[-1])


def _is_fresh(video: Video) -> bool:
    started = video.submitted_at or timezone.now()
    return (timezone.now() - started).total_seconds() < READ_AFTER_WRITE_SECONDS


def _postpone_all(videos: list[Video], error: HeyGenError) -> None:
    if isinstance(error, OperatorProblem):
        provider.close_for(error)
    for video in videos:
        backoff = min(300.0, settings.VIDEO_RETRY_SECONDS * 2 ** min(video.tries, 6))
        video.postpone(max(error.retry_after or 0.0, backoff), f"HeyGen: {error}")


def give_up_render(video: Video) -> None:
    """The deadline has passed: ask once more, for we may have been away; a render still running is given up."""
    try:
        remote = get_client().get_video(video.provider_video_id or "", captioned=video.captions)
    except NotFound as error:
        _lost(video, error)
        return
    except HeyGenError as error:
        logger.error("deadline_extended", video_id=str(video.pk), error=str(error))
        Video.objects.filter(pk=video.pk, status=Status.RENDERING).update(deadline_at=after(EXTENSION_SECONDS))
        return
    if remote.state is RenderState.FAILED:
        _failed(video, remote.failure)
    elif remote.state is RenderState.COMPLETED and remote.file_url:
        _rendered(video, remote)
    else:
        _timed_out(video)


def _timed_out(video: Video) -> None:
    settling.fail(
        video,
        code="render_timeout",
        message="The video service did not finish in time. Nothing was charged.",
        retryable=True,
        reason="render_deadline",
    )
