"""Changes of a running subscription: other prices and quantities, and what they cost for the rest of the period."""

import copy
from dataclasses import dataclass

from genvid.sandbox.stripe import collection, cycle, lines
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.cycle import UPDATED
from genvid.sandbox.stripe.timetable import period


@dataclass(frozen=True)
class Wanted:
    """One item as it is to be. An item without an id is new; one without a quantity goes."""

    item_id: str | None
    price: Thing
    quantity: int


def change_items(bank: Bank, subscription: Thing, wanted: list[Wanted], behavior: str) -> Thing:
    """The items are changed at once; what that costs is billed now, later or never, as `behavior` says."""
    now, span = bank.now(subscription["customer"]), period(subscription)
    before = subscription["items"]["data"]
    after = [_item(bank, subscription, one, span) for one in wanted if one.quantity]
    restarts = _interval(before[0]) != _interval(after[0]) and subscription["status"] != "trialing"
    if restarts:
        return restart(bank, subscription, after, behavior)
    entries = _prorations(bank, before, after, now, span) if _charges(subscription, behavior) else []
    items = {**subscription["items"], "data": after}
    bank.save(subscription, _pending=[*subscription["_pending"], *entries])
    bank.change(subscription, UPDATED, items=items)
    if behavior == "always_invoice" and entries:
        invoice = cycle.bill(bank, subscription, [], "subscription_update", (span[0], now))
        collection.collect(bank, invoice)
    return subscription


def restart(bank: Bank, subscription: Thing, items: list[Thing], behavior: str) -> Thing:
    """A new period begins now: the rest of the old one is given back, the whole new one is billed."""
    now, span = bank.now(subscription["customer"]), period(subscription)
    before = subscription["items"]["data"]
    credits_ = _prorations(bank, before, [], now, span) if _charges(subscription, behavior) else []
    bank.save(subscription, _pending=[*subscription["_pending"], *credits_])
    changed = {**subscription, "items": {**subscription["items"], "data": items}, "billing_cycle_anchor": now}
    fields = cycle.move(changed, now, cycle.next_end(changed, now), billing_cycle_anchor=now)
    bank.change(subscription, UPDATED, **fields)
    span = period(subscription)
    entries = [lines.of_item(bank, item, span) for item in subscription["items"]["data"]]
    invoice = cycle.bill(bank, subscription, entries, "subscription_update", (now, now))
    collection.collect(bank, invoice)
    return subscription


def credit_rest(bank: Bank, subscription: Thing) -> None:
    """What a cancellation in mid-period gives back; pending until an invoice takes it up."""
    now, span = bank.now(subscription["customer"]), period(subscription)
    entries = _prorations(bank, subscription["items"]["data"], [], now, span)
    bank.save(subscription, _pending=[*subscription["_pending"], *entries])


def _charges(subscription: Thing, behavior: str) -> bool:
    return behavior != "none" and subscription["status"] != "trialing"


def _interval(item: Thing) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _item(bank: Bank, subscription: Thing, wanted: Wanted, span: tuple[int, int]) -> Thing:
    for item in subscription["items"]["data"]:
        if item["id"] == wanted.item_id:
            return {**copy.deepcopy(item), "price": wanted.price, "quantity": wanted.quantity}
    return cycle.new_item(bank, subscription["id"], wanted.price, wanted.quantity, span)


def _prorations(bank: Bank, before: list[Thing], after: list[Thing], now: int, span: tuple[int, int]) -> list[Thing]:
    """For each item that changes: minus the rest of the old one, plus the rest of the new one."""
    rest, kept = _share_left(now, span), {_sort(item) for item in before} & {_sort(item) for item in after}
    found = []
    for item in before:
        if _sort(item) not in kept and (amount := _worth(item, rest)):
            found.append(lines.proration(bank, item, -amount, (now, span[1])))
    for item in after:
        if _sort(item) not in kept and (amount := _worth(item, rest)):
            found.append(lines.proration(bank, item, amount, (now, span[1])))
    return found


def _sort(item: Thing) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _worth(item: Thing, share: float) -> int:
    return round(int(item["price"]["unit_amount"]) * int(item["quantity"]) * share)


def _share_left(now: int, span: tuple[int, int]) -> float:
    start, end = span
    return min(1.0, max(0.0, (end - now) / (end - start)))
