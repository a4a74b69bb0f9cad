"""What rendering cost by engine, for the margin page."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import CharField, Func, QuerySet, Value
from django.db.models.functions import Concat

from billing import credits
from genvid.staff_reports import Breakdown, BreakdownRow, add_breakdown
from videos.models import Video


class HyphenatedUuid(Func):
    """A UUID as text with its hyphens, which SQLite stores without."""

    output_field = CharField()
    template = "(%(expressions)s)::text"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        template = " || '-' || ".join(f"SUBSTR(%(expressions)s, {start}, {length})" for start, length in parts)
        return self.as_sql(compiler, connection, template=f"({template})", **context)


def by_engine(first: date, last: date) -> Sequence[BreakdownRow]:
    """The most expensive first. A video counts on the day it was charged for. One query."""
    since, until = datetime.combine(first, time.min, UTC), datetime.combine(last + timedelta(days=1), time.min, UTC)
    holds = credits.charged_renders(since, until).values("reference", "provider_microdollars")
    # It ends in the transaction in which it is charged: the days around cover the moment between the two clocks.
    near = {"completed_at__gte": since - timedelta(days=1), "completed_at__lt": until + timedelta(days=1)}
    videos = Video.objects.live().filter(**near).order_by().annotate(key=Concat(Value("video:"), HyphenatedUuid("pk")))
    return [_row(*row) for row in _joined(videos.values("engine", "duration_seconds", "credits_charged", "key"), holds)]


def _joined(videos: QuerySet[Any, Any], holds: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Both are read once. The ORM cannot join by a text, and a subquery for each video takes ten times as long."""
    (of_videos, given), (of_holds, more) = (rows.query.sql_with_params() for rows in (videos, holds))
    statement = f"""
        SELECT video.engine, COUNT(*), SUM(video.duration_seconds), SUM(video.credits_charged),
               COALESCE(SUM(hold.provider_microdollars), 0), COUNT(*) - COUNT(hold.provider_microdollars)
        FROM ({of_videos}) AS video JOIN ({of_holds}) AS hold ON hold.reference = video.key
        GROUP BY video.engine ORDER BY 5 DESC, 1
    """  # noqa: S608 - statements of the ORM
    with connection.cursor() as cursor:
        cursor.execute(statement, [*given, *more])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _row(engine: str, videos: int, seconds: Any, credits_charged: int, cost: Any, unknown: int) -> BreakdownRow:
    units = {"videos": videos, "seconds": round(seconds or 0), "credits": int(credits_charged)}
    return BreakdownRow(engine, units, int(cost), unknown)


add_breakdown(Breakdown("engine", "By engine", by_engine))
