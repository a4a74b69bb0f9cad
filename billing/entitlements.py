"""Which credits a paid invoice gives, and when. Pure: facts in, entitlements out; nothing is read or written.

A line of a whole period gives its price's credits, a yearly one month by month. Lines of a change of plan in the middle
(prorations) give for what is left of the month what the new plan gives more than the old one, and from then on the new
plan's. Where it gives less, the difference is taken: its money has gone into another plan or the customer's balance,
and would buy the same credits again with every change to and fro.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import months
from billing.enums import Interval
from billing.gateway.facts import InvoiceFacts, InvoiceLine
from billing.models import PlanPrice

Prices = Mapping[str, PlanPrice]
"""By their ids at Stripe."""
SLACK = timedelta(hours=36)
"""Months differ in length: what is left over of a period is no month of its own."""
PACK_LIFE = 12
"""Months that a pack's credits are good for."""
FIRST = "subscription_create"
"""Stripe's reason for a subscription's first invoice."""
ROUNDING = 0.05
"""Of a credit: a cent more or less in Stripe's rounding must not cost one."""


@dataclass(frozen=True)
class Entitlement:
    reference: str
    price: PlanPrice
    credits: int
    due_at: datetime
    ends_at: datetime


def of_invoice(invoice: InvoiceFacts, prices: Prices) -> list[Entitlement]:
    """In no order. Lines of prices that are not ours give nothing."""
    found: list[Entitlement] = []
    for line in invoice.lines:
        if line.price_id in prices:
            found.extend(_prorated(invoice, line, prices) if line.is_proration else _whole(invoice, line, prices))
    found.extend(_difference(invoice, prices))
    return [each for each in found if each.credits > 0]


def unused(invoice: InvoiceFacts, prices: Prices) -> int:
    """Credits of time that was paid for and given back, beyond what the new plan gives for it."""
    return max(0, math.ceil(-_net(invoice, prices) - ROUNDING))


def stops(invoice: InvoiceFacts, prices: Prices) -> dict[str, datetime]:
    """By price id: since when earlier invoices give no more of it, as its unused time was paid back."""
    unused = [line for line in invoice.lines if line.is_proration and line.amount < 0 and line.price_id in prices]
    return {line.price_id: min(each.start for each in unused if each.price_id == line.price_id) for line in unused}


def _whole(invoice: InvoiceFacts, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
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
    """The whole period of a monthly price; the months of a yearly one; for a pack that staff billed, its own life."""
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


def _prorated(invoice: InvoiceFacts, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
    """The months to come of a yearly plan that somebody changed to; the present one is `_difference`."""
    price = prices[line.price_id]
    if line.amount <= 0 or price.interval != Interval.YEAR:
        return
    end, number = line.end, 1
    while (start := months.later(line.end, -number)) > line.start:
        reference = f"{invoice.id}:{line.id}:-{number}"
        yield Entitlement(reference, price, price.credits * line.quantity, start, end)
        end, number = start, number + 1


def _difference(invoice: InvoiceFacts, prices: Prices) -> Iterator[Entitlement]:
    """What is left of the present month: the new plan's part less the old one's, whole credits."""
    bought = [line for line in _changes(invoice, prices) if line.amount > 0]
    if not bought:
        return
    last = max(bought, key=lambda line: line.start)
    price = prices[last.price_id]
    end = last.end if price.interval != Interval.YEAR else _end_of_month(last)
    net = math.floor(_net(invoice, prices) + ROUNDING)
    yield Entitlement(f"{invoice.id}:change", price, net, last.start, end)


def _net(invoice: InvoiceFacts, prices: Prices) -> float:
    """Credits that a change of plan is worth for the rest of the month; negative when the old plan gave more."""
    return sum(_part_of_month(line, prices[line.price_id]) for line in _changes(invoice, prices))


def _changes(invoice: InvoiceFacts, prices: Prices) -> list[InvoiceLine]:
    """Lines of nothing are a trial's: nothing was paid for its time."""
    return [line for line in invoice.lines if line.is_proration and line.amount and line.price_id in prices]


def _part_of_month(line: InvoiceLine, price: PlanPrice) -> float:
    """Credits, negative for time given back. Monthly: by the money; yearly: by the time left of the month."""
    sign = 1 if line.amount > 0 else -1
    whole = price.credits * line.quantity
    if price.interval != Interval.YEAR:
        return sign * whole * min(1.0, abs(line.amount) / (price.amount * line.quantity))
    end = _end_of_month(line)
    begin = months.later(end, -1)
    return sign * whole * ((end - line.start) / (end - begin))


def _end_of_month(line: InvoiceLine) -> datetime:
    """Of the month of a yearly period that `line` begins in: months are counted back from the period's end."""
    number = 1
    while months.later(line.end, -number) > line.start:
        number += 1
    return months.later(line.end, 1 - number)
