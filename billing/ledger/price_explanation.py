"""Why a reference cost what it cost: its hold, entries and rate, and what it earned us. For staff."""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum

from billing.enums import EntryKind, LotSource
from billing.models import CreditLot, Hold, LedgerEntry, Payment, RenderRate
from billing.money import minor_units, money_text

MICRO = Decimal(1_000_000)
EXPLAINED = (EntryKind.CHARGE, EntryKind.REFUND)


@dataclass(frozen=True)
class CreditValue:
    """What a credit earned in the last purchase before the charge, refunds and disputes deducted."""

    payment: Payment
    credits: int

    @property
    def each(self) -> Decimal:
        """In whole units of the payment's currency."""
        left = Decimal(self.payment.amount - self.payment.amount_lost)
        return left / minor_units(self.payment.currency) / self.credits

    def __str__(self) -> str:
        return f"{money_text(self.payment.amount, self.payment.currency)} for {self.credits} credits"


@dataclass(frozen=True)
class PriceExplanation:
    hold: Hold | None
    charge: LedgerEntry | None
    refund: LedgerEntry | None
    rate: RenderRate | None
    value: CreditValue | None

    @property
    def kept(self) -> int:
        """Credits charged, less those given back."""
        return -sum(entry.credits for entry in (self.charge, self.refund) if entry is not None)

    @property
    def provider_cost(self) -> Decimal | None:
        """Dollars, by the prices of the day of the charge; None where they are unknown."""
        cost = self.hold.provider_microdollars if self.hold else 0
        return None if cost is None else Decimal(cost) / MICRO

    @property
    def revenue(self) -> Decimal | None:
        """In whole units of the purchase's currency; None where nothing was bought before."""
        return None if self.value is None else self.kept * self.value.each

    def cost_of(self, seconds: Decimal) -> tuple[Decimal, int] | None:
        """Credits before rounding, and rounded up to a whole number and the minimum. None without a rate."""
        if self.rate is None:
            return None
        exact = seconds * self.rate.credits_per_second
        return exact, max(self.rate.minimum_credits, math.ceil(exact))


def explain_price(reference: str, *, engine: str, avatar_kind: str, resolution: str) -> PriceExplanation:
    """At most five queries, each by an index."""
    hold = Hold.objects.filter(reference=reference).first()
    entries = {entry.kind: entry for entry in LedgerEntry.objects.filter(reference=reference, kind__in=EXPLAINED)}
    at = (hold.settled_at or hold.created_at) if hold else None
    return PriceExplanation(
        hold,
        entries.get(EntryKind.CHARGE),
        entries.get(EntryKind.REFUND),
        _rate_at(at, engine, avatar_kind, resolution) if at else None,
        _value_at(hold, at) if hold and at else None,
    )


def _rate_at(at: datetime, engine: str, avatar_kind: str, resolution: str) -> RenderRate | None:
    """The row of that day, chosen as `billing.plans.rates` does; rows are never changed."""
    found = RenderRate.objects.filter(
        engine=engine, avatar_kind__in=("", avatar_kind), resolution__in=("", resolution), valid_from__lte=at
    )
    return max(found, key=lambda rate: (rate.avatar_kind, rate.resolution, rate.valid_from), default=None)


def _value_at(hold: Hold, at: datetime) -> CreditValue | None:
    bought = Payment.objects.filter(account=hold.wallet_id, created_at__lte=at, amount__gt=0)
    payment = bought.order_by("-created_at", "-id").first()
    if payment is None:
        return None
    lots = CreditLot.objects.filter(payment=payment).order_by()
    granted = lots.aggregate(total=Sum("granted", filter=~Q(source=LotSource.RETURNED)))["total"]
    return CreditValue(payment, granted) if granted else None
