"""Estimates: spoken length, render time, progress, ETA. In seconds unless the name says otherwise."""

import math
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings

from genvid import database_clock
from videos.enums import PROCESSING, WAITING, Status
from videos.speech import markup
from videos.speech.length import length_of

if TYPE_CHECKING:
    from videos.models import Video

MAX_SECONDS = 1800

PROGRESS_CEILING = 98
STUCK_FACTOR = 3


def spoken_seconds(script: str, *, speed: float = 1.0, language: str = "") -> int:
    """The estimated length of the finished video, rounded up. `language`: the voice's, as HeyGen names it."""
    return math.ceil(length_of(script, speed=speed, language=language).expected)


def seconds_to_hold(script: str, *, speed: float, language: str, factor: Decimal) -> Decimal:
    """The estimate with a margin, or the maximum of an uncertain script. `factor`: `billing.credits.overrun_factor`."""
    length = length_of(script, speed=speed, language=language)
    usual, longest = with_margin(math.ceil(length.expected)), with_margin(MAX_SECONDS)
    return min(factor * max(usual, Decimal(math.ceil(length.at_most))), longest)


def with_margin(seconds: int) -> Decimal:
    return Decimal(seconds) * (100 + int(settings.HOLD_MARGIN_PERCENT)) / 100


def is_speakable(script: str) -> bool:
    return any(character.isalnum() for character in markup.without_pauses(script))


def default_render_seconds(video_seconds: Decimal | float) -> int:
    base, factor = float(settings.EXPECTED_RENDER_BASE), float(settings.EXPECTED_RENDER_FACTOR)
    return math.ceil(base + float(video_seconds) * factor)


def queue_seconds(position: int, own_render_seconds: int, slots: int | None = None) -> int:
    rounds: int = (position - 1) // max(1, settings.HEYGEN_MAX_CONCURRENT if slots is None else slots)
    return (rounds + 1) * max(1, own_render_seconds)


def progress_percent(video: "Video", now: datetime | None = None) -> int:
    """0 to 100, never falling; 100 for `completed` only."""
    if video.status == Status.COMPLETED:
        return 100
    if video.status == Status.STORING:
        return PROGRESS_CEILING + 1
    if video.status not in PROCESSING or video.submitted_at is None:
        return video.progress_floor if video.status in WAITING else 0
    share = _elapsed(video, now) / max(1, video.expected_render_seconds)
    reached = math.floor(100 * (1 - math.exp(-1.6 * share)))
    return max(1, video.progress_floor, min(PROGRESS_CEILING, reached))


def eta_seconds(
    video: "Video", queue_position: int | None, now: datetime | None = None, slots: int | None = None
) -> int | None:
    """Never more than said before; None when nothing can be promised, as without `queue_position`."""
    if video.status == Status.STORING:
        return 1
    if video.status == Status.QUEUED and queue_position is not None:
        return _at_most(video, _until_promise(video, queue_position, now or database_clock.now(), slots))
    if video.status in PROCESSING and not _is_late(video, now):
        left = video.expected_render_seconds - _elapsed(video, now)
        return _at_most(video, max(1, math.ceil(max(left, video.expected_render_seconds * 0.1))))
    return None


def is_stuck(video: "Video", now: datetime | None = None) -> bool:
    return (
        video.status == Status.RENDERING
        and video.stuck_at is not None
        and video.stuck_at <= (now or database_clock.now())
    )


def _is_late(video: "Video", now: datetime | None) -> bool:
    if video.stuck_at is None or video.submitted_at is None:
        return False
    return _elapsed(video, now) * STUCK_FACTOR > (video.stuck_at - video.submitted_at).total_seconds()


def _until_promise(video: "Video", position: int, now: datetime, slots: int | None) -> int | None:
    """No later than promised, no sooner than it can be rendered; None once the promise is broken."""
    by_position = queue_seconds(position, video.expected_render_seconds, slots)
    if video.promised_at is None:
        return by_position
    left, soonest = math.ceil((video.promised_at - now).total_seconds()), max(1, video.expected_render_seconds)
    if left < soonest < by_position:
        return None
    return max(soonest, min(by_position, left))


def _at_most(video: "Video", seconds: int | None) -> int | None:
    """None where it exceeds what was said before the order was placed anew."""
    if seconds is None or video.eta_ceiling is None:
        return seconds
    return seconds if seconds <= video.eta_ceiling else None


def _elapsed(video: "Video", now: datetime | None) -> float:
    started = video.submitted_at or video.updated_at
    return max(0.0, ((now or database_clock.now()) - started).total_seconds())
