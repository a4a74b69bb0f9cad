"""Placing an order at HeyGen exactly once, whatever answers or none come back.

An error proves that nothing was made only on the first call with a key. After a call without a known outcome (also
after a crash) a later refusal may concern the repetition alone, so the video is looked up first. HeyGen may list a
video some time after it accepted the order, so absence is proven only when no call was made recently.
"""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone

from genvid import request_context
from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_errors import Busy, HeyGenError, NotFound, NotReady, OperatorProblem, Refused
from genvid.heygen.heygen_types import Background, RemoteVideo, RenderSpec
from genvid.leasing import from_now
from videos import settlement
from videos.enums import TERMINAL, Status
from videos.models import Video
from videos.models.videos import MAX_RETRY_PAUSE
from videos.pipeline import failed_renders, last_deadlines, release_check
from videos.provider import provider_gate
from videos.provider.gate_decisions import MAX_BUSY_SECONDS
from videos.provider.heygen_clients import client_for
from videos.queue import render_times
from videos.speech import markup
from videos.speech.languages import locale_of

logger = structlog.get_logger(__name__)
MAX_NOT_READY_TRIES = 20
QUIET_SECONDS = 300.0
"""No call is made this shortly before the deadline, so that HeyGen lists what the last one made."""
LISTED_AFTER_TRIES = 4
"""After this many doubling waits HeyGen lists what an unanswered call made."""


def submit_video(video_id: str) -> None:
    video = _claim_order(video_id)
    if video is not None:
        _submit(video)


@request_context.under_request_of_row
def _submit(video: Video) -> None:
    client = client_for(video)
    key, ordered_at = video.idempotency_key or "", timezone.now()
    try:
        # Outside any transaction: the key is committed, so a retry after a crash carries it too.
        submission = client.create_video(spec_of(video), idempotency_key=key, callback_id=str(video.pk))
    except HeyGenError as error:
        _handle_error(video, client, error, ordered_at)
    else:
        if record_acceptance(video, submission.video_id, reason="accepted_by_provider") and not video.is_test:
            provider_gate.record_success(ordered_at)


def _claim_order(video_id: str) -> Video | None:
    claimed = Video.objects.filter(pk=video_id, status=Status.SUBMITTING).select_related("avatar", "voice")
    video: Video | None = claimed.first()
    if video is None or _waits_for_deadline(video):
        return None
    if video.calls == 0 and release_check.is_withheld(video):
        release_check.return_to_queue(video)
        return None
    return video if video.claim(settings.VIDEO_SUBMIT_LEASE, calls=F("calls") + 1) else None


def _waits_for_deadline(video: Video) -> bool:
    """HeyGen soon drops the key, and a repetition would make a second video: leave the order to its deadline."""
    left = _seconds_left(video)
    if left > min(QUIET_SECONDS, settings.VIDEO_SUBMIT_DEADLINE / 10):
        return False
    video.claim(max(0.0, left))
    return True


def _seconds_left(video: Video) -> float:
    left = video.seconds_until("deadline_at")
    return QUIET_SECONDS + 1 if left is None else left


def spec_of(video: Video) -> RenderSpec:
    background = None
    if video.background:
        kind = video.background["type"]
        background = Background(kind, video.background["value" if kind == "color" else "url"])
    return RenderSpec(
        avatar_id=video.avatar.provider_id,
        script=markup.on_the_wire(video.script),
        title=video.provider_title,
        voice_id=video.voice.provider_id,
        format=video.format,
        resolution=video.resolution,
        burn_captions=video.captions,
        background=background,
        speed=video.speed if video.speed != 1.0 else None,
        locale=locale_of(video.language) if video.voice.supports_locale else None,
        avatar_kind=video.avatar.kind,
        engine=video.engine,
    )


def record_acceptance(video: Video, provider_video_id: str, *, reason: str) -> bool:
    try:
        moved = video.move(
            Status.RENDERING,
            reason=reason,
            provider_video_id=provider_video_id,
            set_aside_at=None,
            stuck_at=render_times.stuck_at(video),
            due_at=from_now(render_times.seconds_to_first_poll(video)),
            deadline_at=from_now(settings.VIDEO_RENDER_DEADLINE),
        )
    except IntegrityError:
        logger.error("provider_video_id_taken", video_id=str(video.pk), provider_video_id=provider_video_id)
        video.retry_later(MAX_RETRY_PAUSE, "HeyGen answered with the id of another video")
        return False
    if not moved:
        _record_orphan(video, provider_video_id)
    return moved


def _record_orphan(video: Video, provider_video_id: str) -> None:
    """The video ended while HeyGen accepted the order: store the id, so that deleting the video deletes it."""
    ended = Video.objects.filter(pk=video.pk, status__in=TERMINAL, provider_video_id=None, attempt=video.attempt)
    # If its client has deleted it meanwhile, the next purge deletes this render.
    if ended.update(provider_video_id=provider_video_id, purged_at=None):
        logger.error("render_orphaned", video_id=str(video.pk), provider_video_id=provider_video_id)


def _handle_error(video: Video, client: HeyGenClient, error: HeyGenError, ordered_at: datetime) -> None:
    log = logger.bind(video_id=str(video.pk), code=error.code, calls=video.calls)
    log.warning("submission_not_accepted", error=str(error), provider_request_id=error.request_id)
    if video.is_test and isinstance(error, (OperatorProblem, Busy)):
        # The test renderer has no gate: retry until its operator has fixed it.
        retry_order_later(video, error)
        return
    if isinstance(error, (OperatorProblem, Busy)):
        provider_gate.trip(error, video=video, ordered_at=ordered_at)
    if isinstance(error, (OperatorProblem, Busy, Refused, NotFound, NotReady)):
        _run_if_not_made(video, client, lambda: _handle_not_made(video, error))
    else:
        retry_order_later(video, error)


def _run_if_not_made(video: Video, client: HeyGenClient, then: Callable[[], None]) -> None:
    """Run `then` only if this order made no video; adopt the video if it did; else retry later."""
    if video.calls <= 1:
        then()
        return
    try:
        found = find_order(video, client)
    except HeyGenError as error:
        retry_order_later(video, error)
        return
    if found is not None:
        record_acceptance(video, found.id, reason="found_at_provider")
    else:
        then()


def find_order(video: Video, client: HeyGenClient) -> RemoteVideo | None:
    """Find the order by its title. HeyGen matches parts of titles, so the title is compared whole."""
    return next((each for each in client.find_videos(video.provider_title) if each.title == video.provider_title), None)


def _handle_not_made(video: Video, error: HeyGenError) -> None:
    if isinstance(error, (OperatorProblem, Busy)) and video.calls > 1:
        # An unanswered call may still make a video that cannot be found yet:
        # only a retry with its key makes no second one.
        retry_order_later(video, error)
    elif isinstance(error, (OperatorProblem, Busy)):
        settlement.requeue_video(video, reason=f"provider_{error.code}"[:60], why=str(error))
    elif isinstance(error, NotReady) and video.tries < MAX_NOT_READY_TRIES:
        retry_order_later(video, error)
    elif video.calls > 1 and video.tries < LISTED_AFTER_TRIES:
        # Too soon after an unanswered call for the look-up to prove absence.
        retry_order_later(video, error)
    else:
        failed_renders.end_refused_render(video, error)


def retry_order_later(video: Video, error: HeyGenError) -> None:
    wait = video.retry_pause(at_least=min(error.retry_after or 0.0, MAX_BUSY_SECONDS)).total_seconds()
    left = _seconds_left(video)
    video.retry_later(min(wait, left) if left > 0 else wait, f"HeyGen: {error}")


def give_up_submission(video: Video) -> None:
    # Not during a call: its video cannot be found yet.
    if not video.claim(settings.VIDEO_SUBMIT_LEASE):
        return
    client = client_for(video)
    try:
        found = find_order(video, client)
    except HeyGenError as error:
        if timezone.now() < last_deadlines.last_deadline_of(video):
            retry_order_later(video, error)
        elif _fail_submission(video):
            last_deadlines.raise_last_deadline_alarm(video, str(error))
        return
    if found is not None:
        record_acceptance(video, found.id, reason="found_at_provider")
        return
    _fail_submission(video)


def _fail_submission(video: Video) -> bool:
    return settlement.fail_video(
        video,
        code="provider_unavailable",
        message="The video service could not be reached for a day. Nothing was charged.",
        reason="submit_deadline",
    )
