"""Render times learned from HeyGen's own renders, and whether its webhooks arrive. In seconds."""

import bisect
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import quantiles

from django.db.models import Q

from genvid import cache, database_clock
from genvid.process_cache import Remembered
from videos.enums import LearnedBy
from videos.models import ProviderOutage, RenderTime, Video
from videos.queue import estimates

LENGTHS = (10, 20, 40, 80, 160, 320, 640, estimates.MAX_SECONDS)
MIN_SAMPLES = 20
MAX_SAMPLES = 4000
HISTORY = timedelta(days=7)
CACHE_SECONDS = 15
REMEMBERED_SECONDS = 5.0
TRUST_SAMPLE = 20
TRUST_SHARE = 0.8
MAX_MISSED_WEBHOOKS = 3
"""After this many renders in a row without a webhook, poll at the normal rate again."""


@dataclass(frozen=True)
class RenderTimes:
    p05: float
    p50: float
    p90: float
    p99: float


def render_times_for(engine: str, video_seconds: float) -> RenderTimes:
    """Recently measured times of such videos; without enough samples the expectation of the settings."""
    return _learned().get(_class_of(engine, video_seconds)) or _default_times(
        estimates.default_render_seconds(video_seconds)
    )


def render_seconds(engine: str, video_seconds: int) -> int:
    return math.ceil(render_times_for(engine, video_seconds).p50)


def _read_learned() -> dict[tuple[str, int], RenderTimes]:
    rows = RenderTime.objects.filter(samples__gte=MIN_SAMPLES)
    return {(row.engine, row.longest): RenderTimes(row.p05, row.p50, row.p90, row.p99) for row in rows}


_learned = Remembered(_read_learned, REMEMBERED_SECONDS)


def _default_times(middle: float) -> RenderTimes:
    return RenderTimes(middle * 0.5, middle, middle * 2, middle * 4)


def _class_of(engine: str, video_seconds: float) -> tuple[str, int]:
    return engine, _length(video_seconds)


def _length(video_seconds: float) -> int:
    return LENGTHS[min(bisect.bisect_left(LENGTHS, video_seconds), len(LENGTHS) - 1)]


def learn_render_times() -> None:
    for (engine, longest), seconds in _samples().items():
        if len(seconds) < MIN_SAMPLES:
            continue
        cuts = quantiles(seconds, n=100, method="inclusive")
        figures = {"p05": cuts[4], "p50": cuts[49], "p90": cuts[89], "p99": cuts[98]}
        RenderTime.objects.update_or_create(
            engine=engine,
            longest=longest,
            defaults={**figures, "samples": len(seconds), "updated_at": database_clock.now()},
        )
    _learned.forget()


def _samples() -> dict[tuple[str, int], list[float]]:
    """From HeyGen's acceptance to the end: how long an order waited to be taken says nothing about renders."""
    since = database_clock.now() - HISTORY
    rendered = Video.objects.live().filter(rendered_at__gt=since, accepted_at__isnull=False)
    rows = rendered.order_by("-rendered_at").values_list(
        "engine", "estimated_seconds", "accepted_at", "rendered_at", "provider_finished_at"
    )
    outages = [
        (outage.began_at, outage.ended_at or database_clock.now())
        for outage in ProviderOutage.objects.filter(Q(is_over=False) | Q(ended_at__gt=since))
    ]
    samples: dict[tuple[str, int], list[float]] = defaultdict(list)
    for engine, length, accepted_at, rendered_at, finished_at in rows[:MAX_SAMPLES]:
        if finished_at is None and any(began < rendered_at and accepted_at < ended for began, ended in outages):
            # HeyGen names no time, and its end may have been noticed only when HeyGen answered again.
            continue
        # Prefer HeyGen's own time: a poll may have noticed the end late.
        took = ((finished_at or rendered_at) - accepted_at).total_seconds()
        samples[_class_of(engine, length)].append(max(0.1, took))
    return samples


def rendered_for(video: Video, now: datetime) -> float:
    """Seconds since HeyGen accepted the order, or since it was sent where nobody knows."""
    return (now - (video.accepted_at or video.submitted_at or now)).total_seconds()


def webhooks_arrive() -> bool:
    return cache.remembered("videos.webhooks_arrive", _webhooks_arrive, CACHE_SECONDS)


def _webhooks_arrive() -> bool:
    recent = Video.objects.live().filter(rendered_at__gt=database_clock.now() - HISTORY).order_by("-rendered_at")
    by_webhook = [source == LearnedBy.WEBHOOK for source in recent.values_list("learned_by", flat=True)[:TRUST_SAMPLE]]
    return any(by_webhook[:MAX_MISSED_WEBHOOKS]) and sum(by_webhook) / len(by_webhook) >= TRUST_SHARE


def seconds_to_first_poll(video: Video) -> float:
    return learned().seconds_to_first_poll(video, database_clock.now())


def first_poll(video: Video) -> float:
    return learned().first_poll(video)


def render_times_of(video: Video) -> RenderTimes:
    return Learned(_learned()).of(video)


def learned() -> "Learned":
    return Learned(_learned())


@dataclass(frozen=True)
class Learned:
    """What is known at the moment: read once for many videos."""

    times: Mapping[tuple[str, int], RenderTimes]

    @cached_property
    def webhooks_arrive(self) -> bool:
        return webhooks_arrive()

    def of(self, video: Video) -> RenderTimes:
        found = self.times.get(_class_of(video.engine, video.estimated_seconds))
        return found or _default_times(video.expected_render_seconds)

    def seconds_to_first_poll(self, video: Video, now: datetime) -> float:
        return max(self.first_poll(video) - rendered_for(video, now), 1.0)

    def first_poll(self, video: Video) -> float:
        """Seconds from HeyGen's acceptance to the first poll: p05, or beyond p99 if webhooks arrive."""
        if video.is_test:
            return 1.0
        times = self.of(video)
        return times.p99 * 1.25 + 5 if self.webhooks_arrive else max(1.0, times.p05)

    def stuck_at(self, video: Video, accepted_at: datetime) -> datetime:
        return accepted_at + timedelta(seconds=self.of(video).p99 * estimates.STUCK_FACTOR)
