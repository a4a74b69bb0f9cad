"""Credits spent, by day or by API key: captures and refunds, without grants and adjustments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, UUIDField
from django.db.models.functions import TruncDate

from billing.enums import EntryKind, HoldStatus
from billing.models import Hold, LedgerEntry


@dataclass
class Spent:
    charged: int = 0
    refunded: int = 0


def by_day(account_id: UUID, since: datetime, until: datetime) -> dict[Any, Spent]:
    """By UTC day; days without usage are missing. Two queries."""
    captured, refunds = _of(account_id, since, until)
    return _spent(
        _sums(captured.annotate(part=TruncDate("settled_at", tzinfo=UTC)), "captured"),
        _sums(refunds.annotate(part=TruncDate("created_at", tzinfo=UTC)), "credits"),
    )


def by_key(account_id: UUID, since: datetime, until: datetime) -> dict[Any, Spent]:
    """By API key; None stands for people and deleted keys. Two queries."""
    captured, refunds = _of(account_id, since, until)
    holds = Hold.objects.filter(reference=OuterRef("reference")).values("api_key")
    return _spent(
        _sums(captured.annotate(part=F("api_key")), "captured"),
        _sums(refunds.annotate(part=Subquery(holds, output_field=UUIDField())), "credits"),
    )


def _of(account_id: UUID, since: datetime, until: datetime) -> tuple[QuerySet[Hold], QuerySet[LedgerEntry]]:
    holds = Hold.objects.filter(wallet=account_id, status=HoldStatus.CAPTURED)
    entries = LedgerEntry.objects.filter(wallet=account_id, kind=EntryKind.REFUND)
    return (
        holds.filter(settled_at__gte=since, settled_at__lt=until),
        entries.filter(created_at__gte=since, created_at__lt=until),
    )


def _sums(rows: QuerySet[Any], column: str) -> Iterable[tuple[Any, int]]:
    summed = rows.order_by().values("part").annotate(total=Sum(column))
    pairs: Iterable[tuple[Any, int]] = summed.values_list("part", "total")
    return pairs


def _spent(charged: Iterable[tuple[Any, int]], refunded: Iterable[tuple[Any, int]]) -> dict[Any, Spent]:
    found: dict[Any, Spent] = {}
    for part, credits in charged:
        found.setdefault(part, Spent()).charged = credits
    for part, credits in refunded:
        found.setdefault(part, Spent()).refunded = credits
    return found
