"""Margin report: revenue (minor units of one currency), credits, and what the provider costs (micro-dollars).

A cost may be unknown. It is counted, never taken for nothing, and the margin is at most what is said then.
Costs are in dollars: revenue in another currency has no margin, since nothing here knows an exchange rate.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from accounts.models import Account
from billing.enums import EntryKind, HoldStatus, LotSource
from billing.ledger import overruns
from billing.models import CreditLot, Hold, LedgerEntry, Payment, Subscription
from billing.money import money_text

SOLD = (LotSource.PACK, LotSource.SUBSCRIPTION)
MICRO_PER_CENT = 10_000
COST_CURRENCY = "usd"
"""What HeyGen is paid in."""
NO_PLAN = "no plan"
UNKNOWN_COSTS = Count("pk", filter=Q(provider_microdollars=None))
"""Of holds."""


@dataclass
class Margin:
    revenue: int = 0
    """Minor units, less refunds and disputes."""
    credits_sold: int = 0
    credits_used: int = 0
    credits_expired: int = 0
    credits_taken_back: int = 0
    provider_microdollars: int = 0  # known costs
    unknown_costs: int = 0
    """Charges whose cost is not known."""
    overruns: int = 0  # large ones only
    credits_overrun: int = 0
    currency: str = COST_CURRENCY
    """Of the revenue."""

    @property
    def margin(self) -> int | None:
        """Minor units; at most, where there are unknown costs. None in a currency other than that of the costs."""
        return margin_of(self.revenue, self.provider_microdollars, self.currency)

    @property
    def margin_percent(self) -> float | None:
        return percent_of(self.margin, self.revenue)

    def add(self, other: "Margin") -> None:
        """The sum of both, which are in one currency."""
        for each in fields(self):
            if each.name == "currency":
                continue
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def cents(microdollars: int) -> int:
    return round(microdollars / MICRO_PER_CENT)


def margin_of(revenue: int, provider_microdollars: int, currency: str) -> int | None:
    """Minor units. None where revenue is in another currency than costs."""
    return revenue - cents(provider_microdollars) if currency == COST_CURRENCY else None


def percent_of(margin: int | None, revenue: int) -> float | None:
    return round(100 * margin / revenue, 1) if margin is not None and revenue else None


def cost_text(microdollars: int, unknown_costs: int) -> str:
    """Known costs, and how many are not known: "0.17 USD and 2 unknown"."""
    known = money_text(cents(microdollars), COST_CURRENCY)
    if not unknown_costs:
        return known
    return f"{known} and {unknown_costs} unknown" if microdollars else "unknown"


def margin_text(margin: int | None, currency: str, unknown_costs: int) -> str:
    if margin is None:
        return "-"
    amount = money_text(margin, currency)
    return f"at most {amount}" if unknown_costs else amount


@dataclass
class Report:
    currency: str
    total: Margin
    by_plan: dict[str, Margin]
    by_account: dict[UUID, Margin]
    names: dict[UUID, str]
    plans: dict[UUID, str]
    overruns: list[overruns.Overrun]


def margin_report(first: date, last: date, *, currency: str = COST_CURRENCY) -> Report:
    """UTC days, both included. Eight queries."""
    since = datetime.combine(first, time.min, UTC)
    until = datetime.combine(last + timedelta(days=1), time.min, UTC)
    accounts = _by_account(since, until, currency)
    longer = overruns.large_overruns(since, until)
    for each in longer:
        margin = accounts.setdefault(each.account_id, Margin(currency=currency))
        margin.overruns += 1
        margin.credits_overrun += each.needed - each.held
    plans = _plans(accounts)
    names = dict(Account.objects.filter(pk__in=accounts).values_list("pk", "name"))
    empty = partial(Margin, currency=currency)
    total, by_plan = empty(), defaultdict[str, Margin](empty)
    for account_id, margin in accounts.items():
        total.add(margin)
        by_plan[plans.get(account_id, NO_PLAN)].add(margin)
    return Report(currency, total, dict(by_plan), accounts, names, plans, longer)


def _by_account(since: datetime, until: datetime, currency: str) -> dict[UUID, Margin]:
    found: dict[UUID, Margin] = defaultdict(partial(Margin, currency=currency))
    span = {"created_at__gte": since, "created_at__lt": until}
    entries = LedgerEntry.objects.filter(**span)
    payments = Payment.objects.filter(paid_at__gte=since, paid_at__lt=until, currency=currency)
    kept = F("amount") - F("amount_refunded") - F("amount_disputed")
    sums: list[tuple[str, int, Iterable[tuple[UUID, Any]]]] = [
        ("revenue", 1, payments.order_by().values("account").annotate(total=Sum(kept)).values_list("account", "total")),
        ("credits_sold", 1, _sums(CreditLot.objects.filter(source__in=SOLD, **span), "granted")),
        ("credits_used", -1, _sums(entries.filter(kind__in=(EntryKind.CHARGE, EntryKind.REFUND)), "credits")),
        ("credits_expired", -1, _sums(entries.filter(kind=EntryKind.EXPIRY), "credits")),
        ("credits_taken_back", -1, _sums(entries.filter(kind=EntryKind.CLAWBACK), "credits")),
    ]
    for name, sign, rows in sums:
        for account_id, amount in rows:
            setattr(found[account_id], name, sign * int(amount))
    for account_id, known, unknown in _costs(since, until):
        found[account_id].provider_microdollars, found[account_id].unknown_costs = int(known or 0), unknown
    return dict(found)


def _costs(since: datetime, until: datetime) -> Iterable[tuple[UUID, int | None, int]]:
    captured = Hold.objects.filter(status=HoldStatus.CAPTURED, settled_at__gte=since, settled_at__lt=until)
    summed = captured.order_by().values("wallet").annotate(known=Sum("provider_microdollars"), unknown=UNKNOWN_COSTS)
    rows: Iterable[tuple[UUID, int | None, int]] = summed.values_list("wallet", "known", "unknown")
    return rows


def _sums(rows: Any, column: str) -> Iterable[tuple[UUID, int]]:
    summed = rows.order_by().values("wallet").annotate(total=Sum(column))
    pairs: Iterable[tuple[UUID, int]] = summed.values_list("wallet", "total")
    return pairs


def _plans(accounts: Iterable[UUID]) -> dict[UUID, str]:
    rows = Subscription.objects.filter(account__in=list(accounts)).order_by("created_at")
    return dict(rows.values_list("account_id", "price__plan__name"))
