"""Where payments' money went, and how much of each invoice was paid with money that was refunded.

Pure functions. An invoice is paid with money, with balance, and with the value of time that it gives back; the refunded
part of all three is the part of what it bought, and of what it added to the balance.
"""

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class InvoiceFunding:
    """A paid invoice. Amounts are minor units of one currency, of one customer."""

    key: Hashable
    subscription_id: str
    order: tuple[float, int]
    paid: int
    lost: int
    """Of what was paid: refunded, or with the bank."""
    used: int
    brought: int
    returned: int
    credits_returned: int
    voided: int
    """Of what it added: removed from the balance by now."""


@dataclass
class Traced:
    lost: Fraction
    """The part of the invoice that was paid with refunded money."""
    credits_passed: int = 0
    """Of its credits: those whose time a later invoice gave back."""
    to_void: int = 0
    """Of the balance that it added: what should be removed by now, and has not been used by others."""


@dataclass
class _Lot:
    """What an invoice left in the balance, and how much of it is refunded money."""

    key: Hashable
    left: int
    lost: Fraction


def trace_money(invoices: Iterable[InvoiceFunding]) -> dict[Hashable, Traced]:
    """Invoices in the order in which they were made. Balance used beyond what is known came from elsewhere."""
    found: dict[Hashable, Traced] = {}
    present: dict[str, Traced] = {}
    lots: list[_Lot] = []
    ordered = sorted(invoices, key=lambda each: each.order)
    for each in ordered:
        before = present.get(each.subscription_id)
        lost = min(each.paid, each.lost) + _use(lots, each.used)
        if before is not None:
            before.credits_passed += each.credits_returned
            lost += before.lost * each.returned
        worth = each.paid + each.used + each.returned
        found[each.key] = traced = Traced(Fraction(lost) / worth if worth else Fraction(0))
        if each.brought:
            lots.append(_lot_of(each, traced))
        if worth > each.brought:
            present[each.subscription_id] = traced
    left = {lot.key: lot.left for lot in lots}
    for each in ordered:
        traced = found[each.key]
        traced.to_void = min(math.ceil(traced.lost * each.brought), each.voided + left.get(each.key, 0))
    return found


def _lot_of(each: InvoiceFunding, traced: Traced) -> _Lot:
    left = each.brought - each.voided
    lost = max(Fraction(0), traced.lost * each.brought - each.voided)
    return _Lot(each.key, left, lost / left if left else Fraction(0))


def _use(lots: list[_Lot], amount: int) -> Fraction:
    """Takes up to `amount` of the balance, oldest first. Returns how much of it is refunded money."""
    lost = Fraction(0)
    for lot in lots:
        taken = min(lot.left, amount)
        lot.left -= taken
        amount -= taken
        lost += taken * lot.lost
    return lost
