"""Why each queued video waits, for its client and for staff. Only those that wait for a slot are promised a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings

from genvid import database_clock
from videos.enums import Status, WaitingFor
from videos.models import Video
from videos.provider import provider_gate
from videos.provider.gate_decisions import Gate
from videos.queue import queue_positions
from videos.queue.queue_facts import Slots
from videos.queue.queue_positions import QueuePosition


@dataclass(frozen=True)
class WaitingState:
    """`slots`: HeyGen's slots without those taken by stuck renders."""

    position: int | None = None
    waiting_for: WaitingFor | None = None
    slots: int = 0

    @property
    def promised_position(self) -> int | None:
        is_moving = self.waiting_for in (None, WaitingFor.SLOT) and self.slots > 0
        return self.position if is_moving else None


NOT_WAITING = WaitingState()
CACHED_STATE = "_state_of"
AWAITS_RELEASE = "Waits for staff: its avatar or voice is not released to this account."


def waiting_states(videos: Iterable[Video]) -> dict[UUID, WaitingState]:
    """The state of each queued one of `videos`, at most seconds old.

    One statement for the videos of one account, none without queued ones or for states that this request has cached.
    """
    queued = [video for video in videos if video.status == Status.QUEUED]
    known = {video.pk: state for video in queued if (state := _pop_cached_state(video)) is not None}
    queued = [video for video in queued if video.pk not in known]
    if not queued:
        return known
    positions = queue_positions.queue_positions_of(queued)
    return known | {video.pk: _state_of(video, positions.found.get(video.pk), positions.slots) for video in queued}


def cache_waiting_state(video: Video, state: WaitingState) -> None:
    video.__dict__[CACHED_STATE] = state


def _pop_cached_state(video: Video) -> WaitingState | None:
    state: WaitingState | None = video.__dict__.pop(CACHED_STATE, None)
    return state


def state_once_queued(foreseen: WaitingState, *, is_test: bool) -> WaitingState:
    position = None if is_test else foreseen.position
    return replace(foreseen, position=position, waiting_for=foreseen.waiting_for or WaitingFor.SLOT)


def waiting_state_of_next(account_id: UUID, *, is_test: bool) -> WaitingState:
    """The state of a video queued now; `waiting_for` is None where a slot is free for it. At most one statement."""
    if is_test:
        return WaitingState(1, None, 1)
    positions = queue_positions.next_positions(account_id)
    return _unknown_state() if positions is None else _state_at(positions.found[0], positions.slots, is_new=True)


def waiting_states_of_last(account_id: UUID, count: int) -> list[WaitingState]:
    positions = queue_positions.last_positions(account_id, count)
    if positions is None:
        return [_unknown_state()] * count
    return [_state_at(position, positions.slots) for position in positions.found]


def _state_of(video: Video, queue_position: QueuePosition | None, slots: Slots | None) -> WaitingState:
    if video.set_aside_at is not None or video.waiting_reason == AWAITS_RELEASE:
        return WaitingState(None, WaitingFor.STAFF)
    if video.is_test:
        return WaitingState(None, WaitingFor.SLOT)
    if queue_position is None or slots is None:
        return _unknown_state()
    return _state_at(queue_position, slots)


def _unknown_state() -> WaitingState:
    """Nothing is promised while nobody computes the queue."""
    return WaitingState(None, WaitingFor.PROVIDER if settings.HEYGEN_API_KEY == "" else WaitingFor.SLOT)


def _state_at(queue_position: QueuePosition, slots: Slots, *, is_new: bool = False) -> WaitingState:
    if slots.is_shut:
        waits_for: WaitingFor | None = WaitingFor.PROVIDER
    elif queue_position.is_beyond_own_slots:
        waits_for = WaitingFor.OWN_SLOTS
    else:
        waits_for = None if is_new and queue_position.position <= slots.free else WaitingFor.SLOT
    return WaitingState(queue_position.position, waits_for, slots.usable)


def reasons(videos: Sequence[Video]) -> dict[UUID, str]:
    states = waiting_states(videos)
    gate, now = provider_gate.read(), database_clock.now()
    return {video.pk: _reason(video, states.get(video.pk, NOT_WAITING), gate, now) for video in videos}


def _reason(video: Video, state: WaitingState, gate: Gate, now: datetime) -> str:
    if video.status != Status.QUEUED:
        return _reason_in_flight(video, now)
    if video.waiting_reason == AWAITS_RELEASE:
        return AWAITS_RELEASE
    number = "" if state.position is None else f"; number {state.position} in the queue"
    words = {
        None: "",
        WaitingFor.STAFF: "Set aside for staff",
        WaitingFor.PROVIDER: _reason_of_gate(gate),
        WaitingFor.OWN_SLOTS: f"The account's own slots are full{number}",
        WaitingFor.SLOT: f"Waits for a slot{number}",
    }
    if video.is_test:
        words[WaitingFor.SLOT] = "Waits for the test renderer"
    return _with_detail(words[state.waiting_for], video.waiting_reason)


def _reason_of_gate(gate: Gate) -> str:
    if settings.HEYGEN_API_KEY == "":
        return "HEYGEN_API_KEY is empty"
    if gate.paused_at is not None:
        return f"Orders are paused by {gate.paused_by}"
    return f"HeyGen takes no orders: {gate.code} {gate.message}".rstrip()


def _reason_in_flight(video: Video, now: datetime) -> str:
    since = f"{video.moved_at:%Y-%m-%d %H:%M} UTC"
    words = {
        Status.SUBMITTING: f"Its order is being sent since {since}",
        Status.RENDERING: f"HeyGen renders it since {since}",
        Status.STORING: f"Its files are being fetched since {since}",
    }
    if video.status == Status.RENDERING and video.stuck_at is not None and video.stuck_at <= now:
        words[Status.RENDERING] = f"Stuck: HeyGen renders it since {since}, three times longer than nearly all"
    text = words.get(Status(video.status), "")
    return _with_detail(text, video.waiting_reason) if text else ""


def _with_detail(text: str, detail: str) -> str:
    return f"{text} ({detail})" if detail else text
