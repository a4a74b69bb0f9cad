"""Credit schedule of a paid invoice: which credits it grants, and when. Pure functions.

A line of a whole period grants its price's credits, a yearly one month by month. A plan change (proration lines) grants
the difference between the plans for the rest of the month, then the new plan's credits. A negative difference is taken
back, or changing back and forth would create credits. Shares follow time, never money, which coupons change.
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
MAX_REMAINDER = timedelta(hours=36)
"""A remainder of a period up to this is not a month: months differ in length."""
PACK_LIFETIME_MONTHS = 12
FIRST_INVOICE = "subscription_create"
"""Stripe's `billing_reason` of a subscription's first invoice."""
ROUNDING = 0.05
"""Credits. Stripe counts whole seconds, and a second must not cost a credit."""
MIN_MONTH, MAX_MONTH = timedelta(days=27), timedelta(days=32)
"""With leeway for daylight saving time."""


@dataclass(frozen=True)
class Entitlement:
    reference: str
    price: PlanPrice
    credits: int
    due_at: datetime
    ends_at: datetime


def entitlements_of_invoice(invoice: InvoiceState, prices: Prices) -> list[Entitlement]:
    """Unordered. Lines of foreign prices grant nothing."""
    found: list[Entitlement] = []
    for line in invoice.lines:
        if line.price_id in prices:
            found.extend(_prorated(invoice, line, prices) if line.is_proration else _full_period(invoice, line, prices))
    found.extend(_difference(invoice, prices))
    return [each for each in found if each.credits > 0]


def unused_credits(invoice: InvoiceState, prices: Prices) -> int:
    """Credits that a downgrade takes back for the rest of the month."""
    return max(0, math.ceil(-_net_change(invoice, prices) - ROUNDING))


def price_stops(invoice: InvoiceState, prices: Prices) -> dict[str, datetime]:
    """By price id: the time from which earlier invoices grant no credits, as Stripe credited their unused time."""
    unused = [line for line in invoice.lines if line.is_proration and line.sign < 0 and line.price_id in prices]
    return {line.price_id: min(each.start for each in unused if each.price_id == line.price_id) for line in unused}


def _full_period(invoice: InvoiceState, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
    price = prices[line.price_id]
    if line.amount <= 0:
        # Stripe bills a trial with a line of 0, and another when the plan is changed during the trial.
        if invoice.reason == FIRST_INVOICE:
            yield Entitlement(f"{invoice.id}:{line.id}", price, price.plan.trial_credits, line.start, line.end)
        return
    for number, (start, end) in enumerate(_months(line, price)):
        reference = f"{invoice.id}:{line.id}:{number}"
        # The first month is granted at once, even if its period begins later.
        due_at = start if number else min(start, invoice.created_at)
        yield Entitlement(reference, price, price.credits * line.quantity, due_at, end)


def _months(line: InvoiceLine, price: PlanPrice) -> Iterator[tuple[datetime, datetime]]:
    """A monthly price's period, a yearly price's months, or the lifetime of a pack that staff billed."""
    if not price.interval:
        yield line.start, months.add_months(line.start, PACK_LIFETIME_MONTHS)
        return
    if price.interval != Interval.YEAR:
        yield line.start, line.end
        return
    start, number = line.start, 0
    while start + MAX_REMAINDER < line.end:
        number += 1
        end = min(months.add_months(line.start, number), line.end)
        yield start, end
        start = end


def _prorated(invoice: InvoiceState, line: InvoiceLine, prices: Prices) -> Iterator[Entitlement]:
    """The later months after a change to a yearly plan; `_difference` covers the present month."""
    price = prices[line.price_id]
    if line.sign <= 0 or price.interval != Interval.YEAR:
        return
    end, number = line.end, 1
    while (start := months.add_months(line.end, -number)) > line.start:
        reference = f"{invoice.id}:{line.id}:-{number}"
        yield Entitlement(reference, price, price.credits * line.quantity, start, end)
        end, number = start, number + 1


def _difference(invoice: InvoiceState, prices: Prices) -> Iterator[Entitlement]:
    bought = [line for line in _change_lines(invoice, prices) if line.sign > 0]
    if not bought:
        return
    last = max(bought, key=lambda line: line.start)
    _, end = _month_of(invoice, last, prices[last.price_id])
    net = math.floor(_net_change(invoice, prices) + ROUNDING)
    yield Entitlement(f"{invoice.id}:change", prices[last.price_id], net, last.start, end)


def _net_change(invoice: InvoiceState, prices: Prices) -> float:
    return sum(
        line.sign * _remaining_credits(invoice, line, prices[line.price_id]) for line in _change_lines(invoice, prices)
    )


def returned_credits(invoice: InvoiceState, prices: Prices) -> int:
    back = [line for line in _change_lines(invoice, prices) if line.sign < 0]
    return round(sum(_remaining_credits(invoice, line, prices[line.price_id]) for line in back))


def _change_lines(invoice: InvoiceState, prices: Prices) -> list[InvoiceLine]:
    """Proration lines except a trial's (sign 0)."""
    return [line for line in invoice.lines if line.is_proration and line.sign and line.price_id in prices]


def _remaining_credits(invoice: InvoiceState, line: InvoiceLine, price: PlanPrice) -> float:
    begin, end = _month_of(invoice, line, price)
    return price.credits * line.quantity * min(1.0, (end - line.start) / (end - begin))


def _month_of(invoice: InvoiceState, line: InvoiceLine, price: PlanPrice) -> tuple[datetime, datetime]:
    if price.interval == Interval.YEAR:
        return _month_of_year(line)
    # A month that ends on the 28th may have begun on the 31st; the invoice's period has the true start.
    if MIN_MONTH <= line.end - invoice.period_start <= MAX_MONTH and invoice.period_start <= line.start:
        return invoice.period_start, line.end
    return months.add_months(line.end, -1), line.end


def _month_of_year(line: InvoiceLine) -> tuple[datetime, datetime]:
    # Months of a yearly period are counted back from its end.
    number = 1
    while months.add_months(line.end, -number) > line.start:
        number += 1
    return months.add_months(line.end, -number), months.add_months(line.end, 1 - number)
