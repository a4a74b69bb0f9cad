"""An account's usage in a span of days: credits and videos, by day or by API key."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncDate

from accounts.models import ApiKey
from billing import credits
from videos.enums import Status
from videos.models import Video

DAY = timedelta(days=1)
NOTHING = {"credits": {"charged": 0, "refunded": 0}, "videos": {"created": 0, "completed": 0}}
Amounts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Span:
    """Whole UTC days, both ends included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + DAY, time(), UTC)

    @property
    def days(self) -> list[date]:
        return [self.first + nth * DAY for nth in range((self.last - self.first).days + 1)]


@dataclass
class Tally:
    parts: dict[Any, Amounts] = field(default_factory=dict)

    def of(self, part: Any) -> Amounts:
        return self.parts.setdefault(part, {name: dict(amounts) for name, amounts in NOTHING.items()})

    def total(self) -> Amounts:
        return {
            name: {each: sum(part[name][each] for part in self.parts.values()) for each in amounts}
            for name, amounts in NOTHING.items()
        }


def usage_by_day(account_id: UUID, span: Span) -> tuple[list[dict[str, Any]], Amounts]:
    found = _tally(account_id, span, by_key=False)
    return [{"day": day} | found.of(day) for day in span.days], found.total()


def usage_by_key(account_id: UUID, span: Span) -> tuple[list[dict[str, Any]], Amounts]:
    """A row for each API key that was used, and one with nulls for people. Five queries."""
    found = _tally(account_id, span, by_key=True)
    names = dict(ApiKey.objects.filter(account=account_id, pk__in=[*found.parts]).values_list("pk", "name"))
    rows = [{"api_key_id": key_id, "name": names.get(key_id)} | amounts for key_id, amounts in found.parts.items()]
    return sorted(rows, key=lambda row: (-row["credits"]["charged"], str(row["api_key_id"]))), found.total()


def _tally(account_id: UUID, span: Span, *, by_key: bool) -> Tally:
    tally = Tally()
    for part, spent in credits.spent(account_id, span.since, span.until, by_key=by_key).items():
        tally.of(part)["credits"] = {"charged": spent.charged, "refunded": spent.refunded}
    # Includes deleted videos. Test keys' videos cost nothing and are left out.
    paid = Video.objects.filter(account=account_id, is_test=False).exclude(status=Status.DRAFT)
    for name, moment in (("created", "created_at"), ("completed", "completed_at")):
        within = paid.filter(**{f"{moment}__gte": span.since, f"{moment}__lt": span.until})
        if name == "completed":
            within = within.filter(status=Status.COMPLETED)
        for part, count in _count_by(within, F("api_key") if by_key else TruncDate(moment, tzinfo=UTC)):
            tally.of(part)["videos"][name] = count
    return tally


def _count_by(videos: QuerySet[Any], part: Any) -> Iterable[tuple[Any, int]]:
    counted = videos.order_by().annotate(part=part).values("part").annotate(count=Count("pk"))
    pairs: Iterable[tuple[Any, int]] = counted.values_list("part", "count")
    return pairs
