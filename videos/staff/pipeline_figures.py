"""Figures of the pipeline for the staff's home page: what is being made, how it ended, how long it took.

Test videos are left out. Each figure is one query; the plots are remembered for `PLOT_SECONDS` by all processes.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Count, ExpressionWrapper, F, IntegerField, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncHour
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils import timezone

from genvid.cache import remembered
from videos.enums import IN_FLIGHT, WAITING, Status
from videos.models import Video
from videos.querysets import Microseconds, in_statuses

NOW_SECONDS = 5
PLOT_SECONDS = 60
WEEK_SECONDS = 600
HOURS = 24
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
PERCENTILES = (50, 95)
MOST_CODES = 8


@dataclass(frozen=True)
class InMaking:
    queued: int
    in_flight: int
    storing: int
    oldest: datetime | None
    """Since when the oldest one that waits for a slot has been in the queue."""


@dataclass(frozen=True)
class Depths:
    """How many videos waited and were rendered at each of the last full hours."""

    hours: list[datetime]
    queued: list[int]
    rendering: list[int]


@dataclass
class Outcomes:
    completed: int = 0
    failed: int = 0
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def percent(self) -> float | None:
        """Completed ones of those that completed or failed."""
        ended = self.completed + self.failed
        return round(100 * self.completed / ended, 1) if ended else None


@dataclass(frozen=True)
class Times:
    """Seconds from the queue to the stored file: of the last day, and by the hour in which the video was finished."""

    p50: float | None
    p95: float | None
    hours: list[datetime]
    p50_by_hour: list[float | None]
    p95_by_hour: list[float | None]


def in_making() -> InMaking:
    return remembered("staff-home:in-making", _in_making, NOW_SECONDS)


def depths() -> Depths:
    return remembered("staff-home:depths", _depths, PLOT_SECONDS)


def outcomes() -> tuple[Outcomes, Outcomes]:
    """Of the last day and of the last seven, the latter remembered for longer."""
    day = remembered("staff-home:outcomes-of-day", partial(_outcomes, DAY), PLOT_SECONDS)
    return day, remembered("staff-home:outcomes-of-week", partial(_outcomes, WEEK), WEEK_SECONDS)


def times() -> Times:
    return remembered("staff-home:times", _times, PLOT_SECONDS)


def waiting_for_staff() -> QuerySet[Video]:
    return Video.objects.queued().filter(set_aside_at__isnull=False)


def _in_making() -> InMaking:
    waiting = Video.objects.live().filter(in_statuses(WAITING)).order_by().values_list("status")
    rows = {status: (count, since) for status, count, since in waiting.annotate(Count("pk"), Min("queued_at"))}
    counts = {status: rows.get(status, (0, None))[0] for status in WAITING}
    in_flight = sum(counts[status] for status in IN_FLIGHT)
    return InMaking(counts[Status.QUEUED], in_flight, counts[Status.STORING], rows.get(Status.QUEUED, (0, None))[1])


def _last_hours(now: datetime) -> list[datetime]:
    latest = now.replace(minute=0, second=0, microsecond=0)
    return [latest - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]


def _depths() -> Depths:
    """From the moments of every video that was in the queue or at HeyGen at any time of the span.

    A moment cut to its hour lies before a full hour exactly if the moment does.
    """
    hours = _last_hours(timezone.now())
    present = Q(completed_at__gte=hours[0]) | in_statuses(WAITING)
    names = ("queued_at", "submitted_at", "rendered_at", "completed_at")
    cut = {f"{name}_hour": TruncHour(name, tzinfo=UTC) for name in names}
    groups = Video.objects.live().filter(present).order_by().annotate(**cut).values_list(*cut).annotate(Count("pk"))
    queued, rendering = [0] * HOURS, [0] * HOURS
    for entered, submitted, rendered, ended, count in groups:
        _add(queued, hours, entered, submitted or ended, count)
        _add(rendering, hours, submitted, rendered or ended, count)
    return Depths(hours, queued, rendering)


def _add(depth: list[int], hours: list[datetime], begun: datetime | None, left: datetime | None, count: int) -> None:
    for index, hour in enumerate(hours):
        if begun is not None and begun < hour and (left is None or left >= hour):
            depth[index] += count


def _outcomes(span: timedelta) -> Outcomes:
    ended = Video.objects.live().filter(completed_at__gte=timezone.now() - span)
    ended = ended.filter(status__in=(Status.COMPLETED, Status.FAILED)).order_by()
    found = Outcomes()
    for status, code, count in ended.values_list("status", "error_code").annotate(count=Count("pk")):
        if status == Status.COMPLETED:
            found.completed += count
        else:
            found.failed += count
            found.codes[code] = found.codes.get(code, 0) + count
    return found


def _times() -> Times:
    hours = _last_hours(timezone.now())
    done = Video.objects.live().filter(completed_at__gte=timezone.now() - DAY, status=Status.COMPLETED)
    took = ExpressionWrapper(Microseconds("completed_at") - Microseconds("queued_at"), output_field=IntegerField())
    hour = TruncHour("completed_at", tzinfo=UTC)
    timed = done.filter(queued_at__isnull=False).order_by().annotate(took=took, hour=hour)
    everything: dict[int, float | None] = dict.fromkeys(PERCENTILES)
    by_hour: dict[int, dict[datetime, float]] = defaultdict(dict)
    for each in _at_percentiles(timed):
        for percentile in PERCENTILES:
            if _is_at(each["rank"], each["total"], percentile):
                everything[percentile] = each["took"] / 1e6
            if _is_at(each["rank_in_hour"], each["in_hour"], percentile):
                by_hour[percentile][each["hour"]] = each["took"] / 1e6
    plots = [[by_hour[percentile].get(hour) for hour in hours] for percentile in PERCENTILES]
    return Times(everything[50], everything[95], hours, plots[0], plots[1])


def _at_percentiles(timed: Any) -> Any:
    """The rows that are a percentile of all or of their hour: nearest rank, so that SQLite answers the same."""
    ranked = timed.annotate(
        rank=Window(RowNumber(), order_by="took"),
        total=Window(Count("*")),
        rank_in_hour=Window(RowNumber(), partition_by="hour", order_by="took"),
        in_hour=Window(Count("*"), partition_by="hour"),
    )
    wanted = Q()
    for percentile in PERCENTILES:
        wanted |= _is_at_percentile("rank", "total", percentile) | _is_at_percentile(
            "rank_in_hour", "in_hour", percentile
        )
    return ranked.filter(wanted).values("took", "hour", "rank", "total", "rank_in_hour", "in_hour")


def _is_at_percentile(rank: str, total: str, percentile: int) -> Q:
    """`_is_at` in SQL."""
    target = F(total) * percentile
    return Q(GreaterThanOrEqual(F(rank) * 100, target)) & Q(LessThan((F(rank) - 1) * 100, target))


def _is_at(rank: int, total: int, percentile: int) -> bool:
    """Whether the row is the first that has so many per cent of all at or below it."""
    return rank * 100 >= total * percentile > (rank - 1) * 100
