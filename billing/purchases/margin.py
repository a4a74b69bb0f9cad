"""Margin report: revenue (minor units of one currency), credits, and rendering cost (micro-dollars)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Sum

from accounts.models import Account
from billing.enums import EntryKind, HoldStatus, LotSource
from billing.ledger import overruns
from billing.models import CreditLot, Hold, LedgerEntry, Payment, Subscription

SOLD = (LotSource.PACK, LotSource.SUBSCRIPTION)
MICRO_PER_CENT = 10_000
NO_PLAN = "no plan"


@dataclass
class Margin:
    revenue: int = 0
    """Minor units, less refunds and disputes."""
    credits_sold: int = 0
    credits_used: int = 0
    credits_expired: int = 0
    credits_taken_back: int = 0
    provider_microdollars: int = 0
    overruns: int = 0  # large ones only
    credits_overrun: int = 0

    @property
    def margin(self) -> int:
        """Minor units."""
        return self.revenue - round(self.provider_microdollars / MICRO_PER_CENT)

    @property
    def margin_percent(self) -> float | None:
        return round(100 * self.margin / self.revenue, 1) if self.revenue else None

    def add(self, other: "Margin") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass
class Report:
    currency: str
    total: Margin
    by_plan: dict[str, Margin]
    by_account: dict[UUID, Margin]
    names: dict[UUID, str]
    plans: dict[UUID, str]
    overruns: list[overruns.Overrun]


def margin_report(first: date, last: date, *, currency: str = "usd") -> Report:
    """UTC days, both included. Eight queries."""
    since = datetime.combine(first, time.min, UTC)
    until = datetime.combine(last + timedelta(days=1), time.min, UTC)
    accounts = _by_account(since, until, currency)
    longer = overruns.large_overruns(since, until)
    for each in longer:
        margin = accounts.setdefault(each.account_id, Margin())
        margin.overruns += 1
        margin.credits_overrun += each.needed - each.held
    plans = _plans(accounts)
    names = dict(Account.objects.filter(pk__in=accounts).values_list("pk", "name"))
    total, by_plan = Margin(), defaultdict[str, Margin](Margin)
    for account_id, margin in accounts.items():
        total.add(margin)
        by_plan[plans.get(account_id, NO_PLAN)].add(margin)
    return Report(currency, total, dict(by_plan), accounts, names, plans, longer)


def _by_account(since: datetime, until: datetime, currency: str) -> dict[UUID, Margin]:
    found: dict[UUID, Margin] = defaultdict(Margin)
    span = {"created_at__gte": since, "created_at__lt": until}
    entries = LedgerEntry.objects.filter(**span)
    payments = Payment.objects.filter(paid_at__gte=since, paid_at__lt=until, currency=currency)
    captured = Hold.objects.filter(status=HoldStatus.CAPTURED, settled_at__gte=since, settled_at__lt=until)
    kept = F("amount") - F("amount_refunded") - F("amount_disputed")
    sums: list[tuple[str, int, Iterable[tuple[UUID, Any]]]] = [
        ("revenue", 1, payments.order_by().values("account").annotate(total=Sum(kept)).values_list("account", "total")),
        ("credits_sold", 1, _sums(CreditLot.objects.filter(source__in=SOLD, **span), "granted")),
        ("credits_used", -1, _sums(entries.filter(kind__in=(EntryKind.CHARGE, EntryKind.REFUND)), "credits")),
        ("credits_expired", -1, _sums(entries.filter(kind=EntryKind.EXPIRY), "credits")),
        ("credits_taken_back", -1, _sums(entries.filter(kind=EntryKind.CLAWBACK), "credits")),
        ("provider_microdollars", 1, _sums(captured, "provider_microdollars")),
    ]
    for name, sign, rows in sums:
        for account_id, amount in rows:
            setattr(found[account_id], name, sign * int(amount))
    return dict(found)


def _sums(rows: Any, column: str) -> Iterable[tuple[UUID, int]]:
    summed = rows.order_by().values("wallet").annotate(total=Sum(column))
    pairs: Iterable[tuple[UUID, int]] = summed.values_list("wallet", "total")
    return pairs


def _plans(accounts: Iterable[UUID]) -> dict[UUID, str]:
    rows = Subscription.objects.filter(account__in=list(accounts)).order_by("created_at")
    return dict(rows.values_list("account_id", "price__plan__name"))
