"""Which credits a paid invoice gives, and when. Pure functions: facts in, entitlements out.

A line of a whole period gives its price's credits, a yearly one month by month. Lines of a plan change within a period
(prorations) give for the rest of the month the difference between new and old plan, and from then on the new plan's
credits. A negative difference is taken: its money went into another plan or the customer's balance, and would buy the
same credits again with every change back and forth. Both follow the time that is left, never the money.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import months
from billing.enums import Interval
from billing.models import PlanPrice
from billing.stripe.stripe_types import InvoiceLine, InvoiceState

Prices = Mapping[str, PlanPrice]
"""By their ids at Stripe."""
SLACK = timedelta(hours=36)
"""Months differ in length: a remainder of a period up to this is no month of its own."""
PACK_LIFE = 12
"""Months until a pack's credits expire."""
FIRST = "subscription_create"
"""Stripe's reason for a subscription's first invoice."""
ROUNDING = 0.05
"""In credits. Stripe counts whole seconds, and a second must not cost a credit."""
SHORTEST, LONGEST = timedelta(days=27), timedelta(days=32)
"""A month, with leeway for summer time."""


@dataclass(frozen=True)
class Entitlement:
    reference: str
    price: PlanPrice
    credits: int
    due_at: datetime
    ends_at: datetime


def entitlements_of_invoice(invoice: InvoiceState, prices: Prices) -> list[Entitlement]:
    """Unordered. Lines of prices that are not ours give nothing."""
    found: list[Entitlement] = []
    for line in invoice.lines:
        if line.price_id in prices:
            found.extend(_prorated(invoice, line, prices) if line.is_proration else _whole(invoice, line, prices))
    found.extend(_difference(invoice, prices))
    return [each for each in found if each.credits > 0]


def unused_credits(invoice: InvoiceState, prices: Prices) -> int:
    """Credits of time that was paid for and given back, beyond what the new plan gives for it."""
    return max(0, math.ceil(-_net(invoice, prices) - ROUNDING))


def stops(invoice: InvoiceState, prices: Prices) -> dict[str, datetime]:
    """By price id: since when earlier invoices give no more credits, as their unused time was paid back."""
    unused_credits = [line for line in invoice.lines if line.is_proration and line.sign < 0 and line.price_id in prices]
    return {
        line.price_id: min(each.start for each in unused_credits if each.price_id == line.price_id)
        for line in unused_credits
    }


def _whole(invoice: InvoiceState, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
    price = prices[line.price_id]
    if line.amount <= 0:
        # Stripe bills a trial with a line of nothing, and may do so again when plans are changed during one.
        if invoice.reason == FIRST:
            yield Entitlement(f"{invoice.id}:{line.id}", price, price.plan.trial_credits, line.start, line.end)
        return
    for number, (start, end) in enumerate(_months(line, price)):
        reference = f"{invoice.id}:{line.id}:{number}"
        # What is paid for is given at once, whenever the period begins; only further months have to come.
        due_at = start if number else min(start, invoice.created_at)
        yield Entitlement(reference, price, price.credits * line.quantity, due_at, end)


def _months(line: InvoiceLine, price: PlanPrice) -> Iterator[tuple[datetime, datetime]]:
    """The whole period of a monthly price; the months of a yearly one; for a pack that staff billed, its lifetime."""
    if not price.interval:
        yield line.start, months.later(line.start, PACK_LIFE)
        return
    if price.interval != Interval.YEAR:
        yield line.start, line.end
        return
    start, number = line.start, 0
    while start + SLACK < line.end:
        number += 1
        end = min(months.later(line.start, number), line.end)
        yield start, end
        start = end


def _prorated(invoice: InvoiceState, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
    """The months to come of a yearly plan that was changed to; the present month is in `_difference`."""
    price = prices[line.price_id]
    if line.sign <= 0 or price.interval != Interval.YEAR:
        return
    end, number = line.end, 1
    while (start := months.later(line.end, -number)) > line.start:
        reference = f"{invoice.id}:{line.id}:-{number}"
        yield Entitlement(reference, price, price.credits * line.quantity, start, end)
        end, number = start, number + 1


def _difference(invoice: InvoiceState, prices: Prices) -> Iterator[Entitlement]:
    """For the rest of the present month: the new plan's credits minus the old one's, whole credits."""
    bought = [line for line in _changes(invoice, prices) if line.sign > 0]
    if not bought:
        return
    last = max(bought, key=lambda line: line.start)
    _, end = _month_of(invoice, last, prices[last.price_id])
    net = math.floor(_net(invoice, prices) + ROUNDING)
    yield Entitlement(f"{invoice.id}:change", prices[last.price_id], net, last.start, end)


def _net(invoice: InvoiceState, prices: Prices) -> float:
    """Credits that a plan change is worth for the rest of the month; negative when the old plan gave more."""
    return sum(line.sign * _rest(invoice, line, prices[line.price_id]) for line in _changes(invoice, prices))


def returned_credits(invoice: InvoiceState, prices: Prices) -> int:
    """Credits of the rest of the month that earlier plans gave, and this invoice exchanged for others."""
    back = [line for line in _changes(invoice, prices) if line.sign < 0]
    return round(sum(_rest(invoice, line, prices[line.price_id]) for line in back))


def _changes(invoice: InvoiceState, prices: Prices) -> list[InvoiceLine]:
    """Without a trial's: nothing was paid for its time."""
    return [line for line in invoice.lines if line.is_proration and line.sign and line.price_id in prices]


def _rest(invoice: InvoiceState, line: InvoiceLine, price: PlanPrice) -> float:
    """Credits for the rest of the month by its share of time, never of money, which coupons change."""
    begin, end = _month_of(invoice, line, price)
    return price.credits * line.quantity * min(1.0, (end - line.start) / (end - begin))


def _month_of(invoice: InvoiceState, line: InvoiceLine, price: PlanPrice) -> tuple[datetime, datetime]:
    """The month that contains the plan change."""
    if price.interval == Interval.YEAR:
        return _month_of_year(line)
    # A month that ends on the 28th may have begun on the 31st: the invoice looks back to where it did.
    if SHORTEST <= line.end - invoice.period_start <= LONGEST and invoice.period_start <= line.start:
        return invoice.period_start, line.end
    return months.later(line.end, -1), line.end


def _month_of_year(line: InvoiceLine) -> tuple[datetime, datetime]:
    """Months of a yearly period are counted back from its end."""
    number = 1
    while months.later(line.end, -number) > line.start:
        number += 1
    return months.later(line.end, -number), months.later(line.end, 1 - number)
