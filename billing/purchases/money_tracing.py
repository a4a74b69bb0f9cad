"""Traces refunded money through a customer's invoices. Pure functions.

An invoice is paid with money, with balance, and with the value of time that it returns. The refunded share of all three
is the refunded share of what it bought and of what it added to the balance.
"""

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class InvoiceFunding:
    """Amounts are minor units of one currency."""

    key: Hashable
    subscription_id: str
    order: tuple[float, int]
    paid: int
    lost: int
    """Part of `paid` that was refunded or is with the bank."""
    used: int
    brought: int
    returned: int
    credits_returned: int
    voided: int
    """Part of `brought` that was removed from the balance."""


@dataclass
class Traced:
    lost: Fraction
    """Share of the invoice that was paid with refunded money."""
    credits_passed: int = 0
    """Credits of the invoice whose time a later invoice returned."""
    to_void: int = 0
    """Balance to remove, as far as other invoices have not used it."""


@dataclass
class _Lot:
    key: Hashable
    left: int
    lost: Fraction


def trace_money(invoices: Iterable[InvoiceFunding]) -> dict[Hashable, Traced]:
    """By key. Balance used beyond what the invoices added counts as not refunded."""
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
    """Uses up to `amount` of the lots, oldest first. Returns the refunded money in it."""
    lost = Fraction(0)
    for lot in lots:
        taken = min(lot.left, amount)
        lot.left -= taken
        amount -= taken
        lost += taken * lot.lost
    return lost
