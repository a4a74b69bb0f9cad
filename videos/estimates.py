"""How long a script speaks, how long a render takes, how far it is. All in seconds, unless the name says otherwise."""

import math
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from videos.enums import PROCESSING, WAITING, Status

if TYPE_CHECKING:
    from videos.models import Video

WORDS_PER_MINUTE = 150
"""HeyGen's own figure for English; right within a fifth for languages that put spaces between words."""
SYLLABIC_PER_MINUTE = 260
"""Characters a minute of scripts without spaces: Chinese, Japanese, Thai, Khmer, Lao, Myanmar, Korean."""
LEAD_SECONDS = 1.0
"""Silence around the speech."""

MAX_SECONDS = 1800
"""HeyGen makes no longer videos."""

BREAK = re.compile(r'<break\s+time="(\d+(?:\.\d+)?)s"\s*/>')
SYLLABIC = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
DIGIT = re.compile(r"\d")
PROGRESS_CEILING = 98


def spoken_seconds(script: str, *, speed: float = 1.0) -> int:
    """An estimate, rounded up, of the finished video's length."""
    pauses = sum(min(float(seconds), 2 * MAX_SECONDS) for seconds in BREAK.findall(script))
    text = BREAK.sub(" ", script)
    syllables = len(SYLLABIC.findall(text))
    # "1984" is one word on paper and three in the mouth.
    words = len(SYLLABIC.sub(" ", text).split()) + len(DIGIT.findall(text)) * 0.7
    minutes = words / WORDS_PER_MINUTE + syllables / SYLLABIC_PER_MINUTE
    return math.ceil(minutes * 60 / speed + pauses + LEAD_SECONDS)


def is_speakable(script: str) -> bool:
    return any(character.isalnum() for character in BREAK.sub("", script))


def render_seconds(video_seconds: Decimal | float) -> int:
    """What rendering that much video is expected to take."""
    base, factor = float(settings.EXPECTED_RENDER_BASE), float(settings.EXPECTED_RENDER_FACTOR)
    return math.ceil(base + float(video_seconds) * factor)


def queue_seconds(position: int, own_render_seconds: int) -> int:
    """Waiting for a slot behind `position - 1` others, then the own render."""
    rounds: int = (position - 1) // settings.HEYGEN_MAX_CONCURRENT
    return (rounds + 1) * max(1, own_render_seconds)


def progress_percent(video: "Video", now: datetime | None = None) -> int:
    """0 to 100, never falling: it follows the clock, slows down towards the end, and says 100 for `completed` only."""
    if video.status == Status.COMPLETED:
        return 100
    if video.status == Status.STORING:
        return PROGRESS_CEILING + 1
    if video.status not in PROCESSING or video.submitted_at is None:
        return video.progress_floor if video.status in WAITING else 0
    share = _elapsed(video, now) / max(1, video.expected_render_seconds)
    reached = math.floor(100 * (1 - math.exp(-1.6 * share)))
    return max(1, video.progress_floor, min(PROGRESS_CEILING, reached))


def eta_seconds(video: "Video", queue_position: int | None, now: datetime | None = None) -> int | None:
    """Seconds until the file is expected, never more than was said before; None when nothing is being made."""
    if video.status == Status.STORING:
        return 1
    if video.status == Status.QUEUED and queue_position is not None:
        return _at_most(video, _until_promise(video, queue_position, now or timezone.now()))
    if video.status in PROCESSING:
        left = video.expected_render_seconds - _elapsed(video, now)
        return _at_most(video, max(1, math.ceil(max(left, video.expected_render_seconds * 0.1))))
    return None


def _until_promise(video: "Video", position: int, now: datetime) -> int:
    """By its place in the queue, but no later than promised; and no sooner than it can be rendered."""
    by_place = queue_seconds(position, video.expected_render_seconds)
    if video.promised_at is None:
        return by_place
    left = math.ceil((video.promised_at - now).total_seconds())
    return max(1, video.expected_render_seconds, min(by_place, left))


def _at_most(video: "Video", seconds: int) -> int:
    return seconds if video.eta_ceiling is None else min(seconds, video.eta_ceiling)


def _elapsed(video: "Video", now: datetime | None) -> float:
    started = video.submitted_at or video.updated_at
    return max(0.0, ((now or timezone.now()) - started).total_seconds())
