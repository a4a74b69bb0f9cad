"""When a render is polled next: densest while its end is expected, and not at all where each poll asks about it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import compress

from genvid.leasing import from_now
from videos.enums import Status
from videos.models import Video
from videos.querysets import VideoQuerySet
from videos.queue import render_times

EACH_POLL = 1.0
INTERVALS = (
    EACH_POLL,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    11.0,
    15.0,
    22.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1200.0,
    2400.0,
    3600.0,
)
SHARE_OF_RENDER = 0.055
"""Polls are at most this share of the usual render time apart while the end is expected: half of it is the delay."""


def schedule_next_poll(videos: Sequence[Video], now: datetime) -> None:
    """Renders that each poll asks about stay due, unless an earlier poll went wrong: nothing need be written."""
    is_stale = (video.tries or video.waiting_reason or interval_for(video, now) > EACH_POLL for video in videos)
    reschedule(compress(videos, is_stale), now)


def reschedule(videos: Iterable[Video], now: datetime) -> None:
    for seconds, mine in _by_interval(videos, now):
        mine.update(due_at=from_now(seconds), tries=0, waiting_reason="")


def delay_polls(videos: Iterable[Video], now: datetime) -> None:
    for seconds, mine in _by_interval(videos, now):
        if seconds > EACH_POLL:
            mine.filter(due_at__lt=from_now(seconds)).update(due_at=from_now(seconds))


def _by_interval(videos: Iterable[Video], now: datetime) -> Iterator[tuple[float, VideoQuerySet]]:
    groups: dict[float, list[Video]] = defaultdict(list)
    for video in videos:
        groups[interval_for(video, now)].append(video)
    for seconds, group in groups.items():
        yield seconds, Video.objects.filter(pk__in=[video.pk for video in group], status=Status.RENDERING)


def interval_for(video: Video, now: datetime) -> float:
    """Seconds to the next poll: while the end is expected a share of the render time, then a tenth of the wait."""
    elapsed, times = render_times.rendered_for(video, now), render_times.render_times_of(video)
    pause = SHARE_OF_RENDER * times.p50
    if elapsed > times.p99:
        pause = max(pause, elapsed / 10)
    return max((step for step in INTERVALS if step <= pause), default=EACH_POLL)
