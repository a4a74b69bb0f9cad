"""Why a reference cost what it cost: its hold, entries, rate or fee, and what it earned us. For staff."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q, Sum

from billing.enums import EntryKind, HoldStatus, LotSource
from billing.models import CreditLot, Fee, Hold, LedgerEntry, Payment, RenderRate
from billing.money import minor_units, money_text
from genvid.explanations import PriceStep

MICRO = Decimal(1_000_000)
CENT = Decimal("0.01")
EXPLAINED = (EntryKind.CHARGE, EntryKind.REFUND)
NOTHING_CHARGED = {
    HoldStatus.OPEN: "the hold is open",
    HoldStatus.CAPTURED: "it was free",
    HoldStatus.RELEASED: "the hold was given back",
}
GIVEN_BACK = "the hold was given back; the provider's cost is ours"


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
    fee: Fee | None = None

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

    def steps(self) -> Iterator[PriceStep]:
        """Of what has a fee, or of any hold."""
        if self.fee is not None:
            yield PriceStep("Fee", str(self.fee), "in force when it was asked for", row=self.fee)
        if self.hold is not None:
            yield PriceStep("Held", f"{self.hold.amount} credits", f"now {self.hold.status}", row=self.hold)
        yield from self.moved()
        yield from self.earned()

    def moved(self) -> Iterator[PriceStep]:
        """What became of the hold."""
        hold, charge, refund = self.hold, self.charge, self.refund
        if charge is not None:
            is_capped = hold is not None and hold.needed is not None
            how = f"{hold.needed} were needed: never more than the hold" if hold and is_capped else charge.description
            yield PriceStep("Charged", f"{-charge.credits} credits", how, row=charge)
        elif hold is not None:
            why = (
                GIVEN_BACK
                if hold.status == HoldStatus.CAPTURED and hold.amount
                else NOTHING_CHARGED[HoldStatus(hold.status)]
            )
            yield PriceStep("Charged", "nothing", why)
        if refund is not None:
            yield PriceStep("Given back", f"{refund.credits} credits", refund.description, row=refund)

    def earned(self) -> Iterator[PriceStep]:
        """Cost and margin, once it was settled."""
        if self.hold is None or self.hold.settled_at is None:
            return
        if (cost := self.provider_cost) is None:
            yield PriceStep(
                "HeyGen's cost", "unknown", "no price of HeyGen's was set; so is the margin", how_row=self.fee
            )
            return
        yield PriceStep("HeyGen's cost", f"{cost:.4f} USD", self._price_of_provider, how_row=self.rate or self.fee)
        if self.value is None or self.revenue is None:
            yield PriceStep(
                "Margin", f"{-cost:.2f} USD", "nothing was bought before: the credits were free", colour="warning"
            )
            return
        earned, payment = self.revenue, self.value.payment
        worth = f"{_cents(earned)} {payment.currency.upper()}"
        yield PriceStep("Worth", worth, f"the last purchase: {self.value}", how_row=payment)
        if payment.currency == "usd":
            margin = earned - cost
            share = f"{100 * margin / earned:.0f} % of it" if earned else ""
            yield PriceStep("Margin", f"{_cents(margin)} USD", share, colour="success" if margin >= 0 else "danger")

    @property
    def _price_of_provider(self) -> str:
        if self.rate is not None:
            return f"{self.rate.provider_microdollars_per_second} micro-dollars a second"
        if self.fee is not None and self.fee.provider_microdollars is not None:
            return f"{self.fee.provider_microdollars} micro-dollars {self.fee.get_unit_display().lower()}"
        return ""


def explain_price(reference: str, *, engine: str, avatar_kind: str, resolution: str) -> PriceExplanation:
    """At most five queries, each by an index."""
    why = explain_hold(reference)
    at = (why.hold.settled_at or why.hold.created_at) if why.hold else None
    return replace(why, rate=_rate_at(at, engine, avatar_kind, resolution)) if at else why


def explain_fee(reference: str, *, what: str) -> PriceExplanation:
    """Of something that is sold by the piece or the begun minute. At most five queries, each by an index."""
    why = explain_hold(reference)
    if why.hold is None:
        return why
    return replace(why, fee=Fee.objects.in_force(why.hold.created_at).filter(what=what).first())


def explain_hold(reference: str) -> PriceExplanation:
    """Without its rate or fee, which a reference does not tell. At most four queries, each by an index."""
    hold = Hold.objects.filter(reference=reference).first()
    entries = {entry.kind: entry for entry in LedgerEntry.objects.filter(reference=reference, kind__in=EXPLAINED)}
    at = (hold.settled_at or hold.created_at) if hold else None
    return PriceExplanation(
        hold,
        entries.get(EntryKind.CHARGE),
        entries.get(EntryKind.REFUND),
        None,
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


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
