"""Revenue, provider cost and margin by UTC day and by tier, for the staff's pages. `margin` has the report by account.

A payment counts on the day it was paid, with what has gone back of it by now; a cost on the day of the charge.
Revenue is in minor units of one currency; cost is known in dollars, so revenue in another currency has no margin.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from billing.enums import HoldStatus
from billing.models import Hold, Payment
from billing.purchases.margin import COST_CURRENCY, Margin, cents, margin_of, percent_of
from genvid.cache import remembered

SUMMARY_SECONDS = 60
PAST_SECONDS = 3600
PLOT_DAYS = 30
NEWEST = 100
"""So many payments say which currency customers pay in."""
FREE = "no tier"
Costs = dict[Any, tuple[int, int, int]]
"""By day or tier: micro-dollars that are known, charges, and those of them whose cost is not known."""
KEPT = F("amount") - F("amount_refunded") - F("amount_disputed")
_DAY_PAID = TruncDate("paid_at", tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """`name`: a day or a tier."""

    name: str
    revenue: int = 0
    provider_microdollars: int = 0
    charges: int = 0
    unknown_costs: int = 0
    currency: str = COST_CURRENCY

    @property
    def cost(self) -> int:
        """Cents, as far as it is known."""
        return cents(self.provider_microdollars)

    @property
    def margin(self) -> int | None:
        """Minor units; None in a currency other than that of the costs."""
        return margin_of(self.revenue, self.provider_microdollars, self.currency)

    @property
    def percent(self) -> float | None:
        return percent_of(self.margin, self.revenue)


@dataclass(frozen=True)
class Summary:
    """`others`: revenue of today and of the month in further currencies, in which there were payments."""

    today: Line
    month: Line
    days: list[Line]
    others: dict[str, tuple[int, int]]


def summary() -> Summary:
    """Today, this month, and the days for a plot. Remembered for `SUMMARY_SECONDS` by all processes."""
    return remembered("staff-home:money", _summary, SUMMARY_SECONDS)


def _summary() -> Summary:
    today = timezone.now().astimezone(UTC).date()
    first = min(today.replace(day=1), today - timedelta(days=PLOT_DAYS - 1))
    # What we paid on days that are over does not change any more.
    past = partial(_costs_by_day, first, today - timedelta(days=1))
    costs = remembered(f"staff-home:provider-costs:{first}:{today}", past, PAST_SECONDS) | _costs_by_day(today, today)
    revenue = _revenue_by_currency(first, today)
    main = main_currency()
    days = _lines(revenue.pop(main, {}), costs, _names(first, today), main)
    month = today.replace(day=1)
    others = {
        currency: (by_day.get(today, 0), sum(amount for day, amount in by_day.items() if day >= month))
        for currency, by_day in sorted(revenue.items())
        if any(day >= month for day in by_day)
    }
    lines_of_month = [line for line in days if line.name >= month.isoformat()]
    return Summary(days[-1], total(lines_of_month, f"{today:%B}"), days[-PLOT_DAYS:], others)


def main_currency() -> str:
    """That of most of the newest payments; of the costs, before there is one."""
    newest = Payment.objects.order_by("-paid_at").values_list("currency", flat=True)[:NEWEST]
    found = Counter(newest).most_common(1)
    return found[0][0] if found else COST_CURRENCY


def by_day(first: date, last: date, *, currency: str = COST_CURRENCY) -> list[Line]:
    """A line for each UTC day, both included. Two queries."""
    revenue = _revenue(_payments(first, last, currency).annotate(key=_DAY_PAID))
    return _lines(revenue, _costs_by_day(first, last), _names(first, last), currency)


def by_tier(first: date, last: date, *, currency: str = COST_CURRENCY) -> list[Line]:
    """A line for each tier that accounts have today, the largest margin first, or revenue. Two queries."""
    revenue = _revenue(_payments(first, last, currency).annotate(key=F("account__wallet__tier__name")))
    costs = _costs(captured_holds(first, last).annotate(key=F("wallet__tier__name")))
    return sorted(_lines(revenue, costs, {}, currency), key=largest_first)


def largest_first(line: Line | Margin) -> int:
    """A key to sort by: margin, or revenue where there is no margin."""
    return -(line.revenue if line.margin is None else line.margin)


def total(lines: Iterable[Line], name: str) -> Line:
    """Of one line or more, all in one currency."""
    every = list(lines)
    names = ("revenue", "provider_microdollars", "charges", "unknown_costs")
    revenue, microdollars, charges, unknown = (sum(getattr(line, each) for line in every) for each in names)
    return Line(name, revenue, microdollars, charges, unknown, every[0].currency)


def _names(first: date, last: date) -> dict[date, str]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {day: day.isoformat() for day in days}


def _revenue_by_currency(first: date, last: date) -> dict[str, dict[date, int]]:
    """By currency, and by day within it. One query."""
    found: dict[str, dict[date, int]] = defaultdict(dict)
    rows = _paid(first, last).annotate(key=_DAY_PAID).values("currency", "key").annotate(total=Sum(KEPT))
    for currency, day, amount in rows.values_list("currency", "key", "total"):
        found[currency][day] = int(amount)
    return found


def _costs_by_day(first: date, last: date) -> Costs:
    return _costs(captured_holds(first, last).annotate(key=TruncDate("settled_at", tzinfo=UTC)))


def _payments(first: date, last: date, currency: str) -> Any:
    return _paid(first, last).filter(currency=currency)


def _paid(first: date, last: date) -> Any:
    since, until = _span(first, last)
    return Payment.objects.filter(paid_at__gte=since, paid_at__lt=until).order_by()


def captured_holds(first: date, last: date) -> Any:
    """Settled on UTC days, both included, in no order."""
    since, until = _span(first, last)
    return Hold.objects.filter(status=HoldStatus.CAPTURED, settled_at__gte=since, settled_at__lt=until).order_by()


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time.min, UTC), datetime.combine(last + timedelta(days=1), time.min, UTC)


def _revenue(payments: Any) -> dict[Any, int]:
    return dict(payments.values("key").annotate(total=Sum(KEPT)).values_list("key", "total"))


def _costs(captured: Any) -> Costs:
    sums = {"known": Sum("provider_microdollars"), "charges": Count("*"), "priced": Count("provider_microdollars")}
    rows = captured.values("key").annotate(**sums).values_list("key", *sums)
    return {key: (int(known or 0), charges, charges - priced) for key, known, charges, priced in rows}


def _lines(revenue: dict[Any, int], costs: Costs, names: dict[Any, str], currency: str) -> list[Line]:
    """A line for each key of `names` or of the rows."""
    keys = [*names, *(key for key in {**revenue, **costs} if key not in names)]
    return [
        Line(names.get(key, str(key or FREE)), int(revenue.get(key) or 0), *costs.get(key, (0, 0, 0)), currency)
        for key in keys
    ]
