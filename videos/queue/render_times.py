"""Render times learned from HeyGen's own renders, and whether its webhooks arrive. In seconds."""

import bisect
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from django.utils import timezone

from genvid import cache
from videos.enums import LearnedBy
from videos.models import RenderTime, Video
from videos.queue import estimates

LENGTHS = (10, 20, 40, 80, 160, 320, 640, estimates.MAX_SECONDS)
"""Upper bounds of the classes of video length."""
ENOUGH = 20
"""Renders before measured times are used."""
REMEMBERED = 4000
HISTORY = timedelta(days=7)
CACHE_SECONDS = 15
TRUST_SAMPLE = 20
TRUST_SHARE = 0.8
MAX_MISSED_WEBHOOKS = 3
"""After this many renders in a row without a webhook, poll at the normal rate again."""


@dataclass(frozen=True)
class RenderTimes:
    """Quantiles of the time from order to end of render."""

    p05: float
    p50: float
    p90: float
    p99: float


def render_times_for(engine: str, video_seconds: float) -> RenderTimes:
    """Recently measured times of such videos; before that, the settings' expectation."""
    return _learned().get(_class_of(engine, video_seconds)) or _around(estimates.render_seconds(video_seconds))


def render_seconds(engine: str, video_seconds: int) -> int:
    """What rendering that much video is expected to take, rounded up."""
    return math.ceil(render_times_for(engine, video_seconds).p50)


def _learned() -> dict[tuple[str, int], RenderTimes]:
    return cache.remembered("videos.paces", _read_learned, CACHE_SECONDS)


def _read_learned() -> dict[tuple[str, int], RenderTimes]:
    rows = RenderTime.objects.filter(samples__gte=ENOUGH)
    return {(row.engine, row.longest): RenderTimes(row.p05, row.p50, row.p90, row.p99) for row in rows}


def _around(middle: float) -> RenderTimes:
    return RenderTimes(middle * 0.5, middle, middle * 2, middle * 4)


def _class_of(engine: str, video_seconds: float) -> tuple[str, int]:
    return engine, _length(video_seconds)


def _length(video_seconds: float) -> int:
    return LENGTHS[min(bisect.bisect_left(LENGTHS, video_seconds), len(LENGTHS) - 1)]


def learn_render_times() -> None:
    """Measures the renders of the last days."""
    for (engine, longest), seconds in _samples().items():
        if len(seconds) < ENOUGH:
            continue
        cuts = quantiles(seconds, n=100, method="inclusive")
        figures = {"p05": cuts[4], "p50": cuts[49], "p90": cuts[89], "p99": cuts[98]}
        RenderTime.objects.update_or_create(
            engine=engine,
            longest=longest,
            defaults={**figures, "samples": len(seconds), "updated_at": timezone.now()},
        )


def _samples() -> dict[tuple[str, int], list[float]]:
    rendered = Video.objects.live().filter(rendered_at__gt=timezone.now() - HISTORY, submitted_at__isnull=False)
    rows = rendered.order_by("-rendered_at").values_list(
        "engine", "estimated_seconds", "submitted_at", "rendered_at", "provider_finished_at"
    )
    samples: dict[tuple[str, int], list[float]] = defaultdict(list)
    for engine, length, submitted_at, rendered_at, finished_at in rows[:REMEMBERED]:
        # A poll may have noticed late: HeyGen's own clock goes before ours.
        took = ((finished_at or rendered_at) - submitted_at).total_seconds()
        samples[_class_of(engine, length)].append(max(0.1, took))
    return samples


def webhooks_arrive() -> bool:
    """Whether HeyGen's webhooks reach us, so that the poller may wait longer."""
    return cache.remembered("videos.webhooks_arrive", _webhooks_arrive, CACHE_SECONDS)


def _webhooks_arrive() -> bool:
    lately = Video.objects.live().filter(rendered_at__gt=timezone.now() - HISTORY).order_by("-rendered_at")
    told = [word == LearnedBy.WEBHOOK for word in lately.values_list("learned_by", flat=True)[:TRUST_SAMPLE]]
    return any(told[:MAX_MISSED_WEBHOOKS]) and sum(told) / len(told) >= TRUST_SHARE


def seconds_to_first_poll(video: Video) -> float:
    """How long from now to ask about an order for the first time, a second at least."""
    now = timezone.now()
    return max(first_poll(video) - (now - (video.submitted_at or now)).total_seconds(), 1.0)


def first_poll(video: Video) -> float:
    """Seconds from the order to the first poll: when any render may be done, or all should be if webhooks arrive."""
    if video.is_test:
        return 1.0
    pace = render_times_of(video)
    return pace.p99 * 1.25 + 5 if webhooks_arrive() else max(1.0, pace.p05)


def stuck_at(video: Video) -> datetime:
    """When a render that was just accepted counts as stuck."""
    return (video.submitted_at or timezone.now()) + timedelta(
        seconds=render_times_of(video).p99 * estimates.STUCK_FACTOR
    )


def render_times_of(video: Video) -> RenderTimes:
    """As measured for such videos; before that, from its own expectation."""
    return _learned().get(_class_of(video.engine, video.estimated_seconds)) or _around(video.expected_render_seconds)
