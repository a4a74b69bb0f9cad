"""Quotes, new videos, drafts, cancel, retry: what clients ask for. Nothing here talks to HeyGen."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.caller import Caller
from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from billing import credits
from genvid import database_clock, request_context
from genvid.api.serializers import refuse_field
from genvid.errors import InvalidState, ValidationFailed
from genvid.jobs import enqueue_on_commit
from genvid.leasing import from_now
from genvid.statements import insert_together
from genvid.transactions import joined
from videos import jobs, settlement, video_events
from videos.enums import Status
from videos.kinds import registry, sounds
from videos.kinds.casting import Cast, cast_for
from videos.kinds.sounds import Recorded, estimated_seconds
from videos.kinds.subjects import Orderer
from videos.lifecycle import scripts
from videos.models import Video, VideoEvent, seconds_from_now
from videos.queue import estimates, render_times, waiting_reasons
from videos.queue.waiting_reasons import WaitingState
from videos.speech.warnings import Warned
from videos.video_request import VideoChanges, VideoRequest

RenderSeconds = Callable[[str, int], int]
Pricer = Callable[..., Callable[[Decimal], int]]
ACCEPTED = "accepted"
STUCK_CANCELED = "stuck_render_canceled"
RETRYABLE = (Status.FAILED, Status.CANCELED)


@dataclass(frozen=True)
class Quote:
    credits: int
    estimated_seconds: int
    available_credits: int
    affordable: bool
    eta_seconds: int | None
    waiting_for: str | None
    hold_factor: float
    """Factor of the account's holds, 1 to 2, raised after videos that were longer than was held for them."""
    warnings: list[Warned]


@dataclass(frozen=True)
class Order:
    """What accepting a video has it written: its hold, its columns, and how it waits then."""

    hold: Any
    changes: dict[str, Any]
    state: WaitingState


def quote_video(caller: Caller, request: VideoRequest) -> Quote:
    video = Video(**owned_by(caller), **_checked_fields(request, orderer_of(caller)))
    available, factor = credits.available_and_factor(caller.account_id)
    needed = hold_amount(video, factor)
    state = waiting_reasons.waiting_state_of_next(video.account_id, is_test=video.is_test)
    return Quote(
        credits=needed,
        estimated_seconds=video.estimated_seconds,
        available_credits=available,
        affordable=available >= needed,
        eta_seconds=_wait_of(video, state),
        waiting_for=state.waiting_for,
        hold_factor=float(factor),
        warnings=video.warnings or [],
    )


def hold_amount(video: Video, factor: Decimal, pricer: Pricer = credits.pricer) -> int:
    """The price of `sounds.seconds_to_hold`; 0 for a test video. `factor`: `credits.overrun_factor`."""
    if video.is_test:
        return 0
    return pricer(**registry.rate_of(video))(sounds.seconds_to_hold(video, factor))


@joined()
def create_video(caller: Caller, request: VideoRequest, *, draft: bool = False, retry_of: Video | None = None) -> Video:
    """Make a video, queued or as a draft. Raises ValidationFailed and InsufficientCredits; then nothing was made."""
    fields = owned_by(caller) | _checked_fields(request, orderer_of(caller))
    fields |= {"retry_of": retry_of, "request_id": request_context.current().request_id}
    video = Video(**fields, status=Status.DRAFT if draft else Status.QUEUED)
    created = VideoEvent(video=video, to_status=Status.DRAFT, reason="created")
    if draft:
        insert_together([video, created])
    else:
        _insert_queued(video, created, caller.key_id)
    return video


def _insert_queued(video: Video, created: VideoEvent, key_id: UUID | None) -> None:
    """Insert the video as one that was accepted at once, with all that belongs to it."""
    endpoints = outgoing_events.endpoints_for(video.account_id, EventType.VIDEO_QUEUED)
    order = _accepted(video, key_id)
    now = video.created_at
    changes = order.changes | {"queued_at": now, "moved_at": now, "updated_at": now}
    for name, value in changes.items():
        setattr(video, name, value)
    accepted = VideoEvent(video=video, from_status=Status.DRAFT, to_status=Status.QUEUED, reason=ACCEPTED)
    announced = video_events.first_event(video, EventType.VIDEO_QUEUED, order.state, endpoints)
    insert_together([video, created, accepted, order.hold, *announced])
    video.show({name: value for name, value in changes.items() if name == "deadline_at"})
    video.log_move_on_commit(Status.DRAFT, ACCEPTED)
    waiting_reasons.cache_waiting_state(video, order.state)
    enqueue_on_commit(jobs.DISPATCH)


@joined()
def generate_video(caller: Caller, video: Video) -> Video:
    """Raises InvalidState, InsufficientCredits, KeyLimitReached, and ValidationFailed for what is now invalid."""
    video = _locked(video)
    if video.status != Status.DRAFT:
        raise InvalidState(f"Only a draft can be generated; this video is {video.get_status_display()}.")
    _require_usable(video)
    order = _accepted(video, caller.key_id)
    if not video.move(Status.QUEUED, reason=ACCEPTED, queued_at=database_clock.now(), **order.changes):
        raise InvalidState("Another request was first.")
    insert_together([order.hold])
    video_events.publish_video_event(video, EventType.VIDEO_QUEUED, order.state)
    waiting_reasons.cache_waiting_state(video, order.state)
    enqueue_on_commit(jobs.DISPATCH)
    return video


def _require_usable(video: Video) -> None:
    request = VideoRequest.of_video(video)
    cast = cast_for(request, Orderer(video.account_id, video.is_test))
    if request.script is not None and cast.voice is not None:
        scripts.require_understood(request.script, cast.voice)


def _locked(video: Video) -> Video:
    joined = Video.objects.select_related(*registry.JOINED, *sounds.JOINED)
    row: Video = joined.select_for_update(of=("self",)).get(pk=video.pk)
    return row


def _accepted(video: Video, key_id: UUID | None) -> Order:
    """Takes the credits; the caller writes the changes and the hold."""
    foreseen = waiting_reasons.waiting_state_of_next(video.account_id, is_test=video.is_test)
    wait = _wait_of(video, foreseen)
    price_at = partial(hold_amount, video)
    hold = credits.new_hold(video.account_id, price_at, reference=video.money_reference, key_id=key_id)
    changes = {
        "credits_held": hold.amount,
        "api_key_id": key_id,
        "request_id": request_context.current().request_id,
        "promised_at": None if wait is None else seconds_from_now(wait),
        "deadline_at": from_now(settings.VIDEO_QUEUE_DEADLINE),
    }
    return Order(hold, changes, waiting_reasons.state_once_queued(foreseen, is_test=video.is_test))


def _wait_of(video: Video, state: WaitingState) -> int | None:
    position = state.promised_position
    return None if position is None else estimates.queue_seconds(position, video.expected_render_seconds, state.slots)


@joined()
def update_draft(video: Video, changes: VideoChanges) -> Video:
    """Change title and metadata always, the rest while a draft. Raises InvalidState naming the fields."""
    video = _locked(video)
    late = changes.of_drafts_only
    if late and video.status != Status.DRAFT:
        details = dict.fromkeys(late, "Can only change while the video is a draft.")
        raise InvalidState("Only title and metadata can change now.", details=details)
    request = changes.applied_to(VideoRequest.of_video(video))
    if late and (wrong := request.problems()):
        raise ValidationFailed(details=wrong)
    orderer = Orderer(video.account_id, video.is_test)
    fields = _checked_fields(request, orderer) if late else request.always_changeable()
    Video.objects.filter(pk=video.pk).update(updated_at=database_clock.now(), **fields)
    video.refresh_from_db()
    return video


def cancel_by_client(video: Video) -> Video:
    """Cancel a queued video, or one whose render is stuck, which HeyGen may still bill. Raises InvalidState."""
    is_stuck = estimates.is_stuck(video)
    reason = STUCK_CANCELED if is_stuck else "canceled"
    if not (is_stuck or video.status == Status.QUEUED) or not settlement.cancel_video(video, reason=reason):
        raise InvalidState("Only a queued video, or one whose render is stuck, can be canceled.")
    return video


def retry_video(caller: Caller, video: Video) -> Video:
    if video.status not in RETRYABLE:
        raise InvalidState("Only a failed or canceled video can be retried.")
    # A person may retry a test key's video, which stays a test video.
    return create_video(replace(caller, is_test=video.is_test), VideoRequest.of_video(video), retry_of=video)


def orderer_of(caller: Caller) -> Orderer:
    return Orderer(caller.account_id, caller.is_test)


def owned_by(caller: Caller) -> dict[str, Any]:
    return {"account_id": caller.account_id, "created_by_id": caller.user_id, "is_test": caller.is_test}


def _checked_fields(request: VideoRequest, orderer: Orderer) -> dict[str, Any]:
    """`fields_of` the request. Raises ValidationFailed for a bad script and for what the account may not use."""
    cast, problem = cast_for(request, orderer), ""
    if request.script is not None and cast.voice is not None:
        problem = scripts.script_problem(request.script, cast.voice, speed=request.speed)
    if problem:
        raise refuse_field("script", problem)
    return fields_of(request, cast)


def fields_of(
    request: VideoRequest, cast: Cast, render_seconds: RenderSeconds = render_times.render_seconds
) -> dict[str, Any]:
    seconds, warnings = _length_and_warnings(request, cast)
    return {
        **request.model_fields(),
        **cast.columns,
        "estimated_seconds": seconds,
        "warnings": warnings,
        "expected_render_seconds": render_seconds(cast.engine, seconds),
    }


def _length_and_warnings(request: VideoRequest, cast: Cast) -> tuple[int, list[Warned]]:
    if isinstance(cast.sound, Recorded):
        return estimated_seconds(cast.sound), []
    script, language = request.script or "", cast.sound.voice.language
    seconds = estimates.spoken_seconds(script, speed=request.speed, language=language)
    return seconds, scripts.warnings_of(script, cast.sound.voice, speed=request.speed)
