"""Changes of a running subscription: other prices and quantities, and what they cost for the rest of the period."""

import copy
from dataclasses import dataclass, field

from genvid.sandbox.stripe import billing_cycle, invoice_collection, invoice_lines, proration_discounts
from genvid.sandbox.stripe.billing_cycle import UPDATED
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore


@dataclass(frozen=True)
class Wanted:
    """One item as it is to be. An item without an id is new; one without a quantity goes."""

    item_id: str | None
    price: Thing
    quantity: int
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a change comes to."""

    items: list[Thing]
    prorations: list[Thing]
    restarts: bool
    """Another interval begins a new period: the rest of the old one is given back, all of the new one billed."""


def outcome(core: StripeCore, subscription: Thing, wanted: list[Wanted], behavior: str, at: int) -> Outcome:
    span, before = period(subscription), subscription["items"]["data"]
    after = [_item(subscription, one, span, at) for one in wanted if one.quantity]
    restarts = _interval(before[0]) != _interval(after[0]) and subscription["status"] != "trialing"
    free = behavior == "none" or subscription["status"] == "trialing"
    return Outcome(after, [] if free else _prorations(core, subscription, [] if restarts else after, at), restarts)


def change_items(core: StripeCore, subscription: Thing, wanted: list[Wanted], behavior: str) -> Thing:
    """The items are changed at once; what that costs is billed now, later or never, as `behavior` says."""
    now = core.now()
    change = outcome(core, subscription, wanted, behavior, now)
    core.save(subscription, _pending=[*subscription["_pending"], *change.prorations])
    if change.restarts:
        return _restart(core, subscription, change.items, now)
    items = {**subscription["items"], "data": change.items}
    core.change(subscription, UPDATED, items=items)
    if behavior == "always_invoice" and change.prorations:
        start = period(subscription)[0]
        invoice = billing_cycle.bill(core, subscription, [], "subscription_update", (start, now))
        invoice_collection.collect(core, invoice)
    return subscription


def restart(core: StripeCore, subscription: Thing, behavior: str) -> Thing:
    """The period begins anew, with the same items."""
    if behavior != "none" and subscription["status"] != "trialing":
        credit_rest(core, subscription)
    return _restart(core, subscription, subscription["items"]["data"], core.now())


def _restart(core: StripeCore, subscription: Thing, items: list[Thing], now: int) -> Thing:
    changed = {**subscription, "items": {**subscription["items"], "data": items}, "billing_cycle_anchor": now}
    fields = billing_cycle.move(changed, now, billing_cycle.next_end(changed, now), billing_cycle_anchor=now)
    before = period(subscription)[0]
    core.change(subscription, UPDATED, **fields)
    entries = billing_cycle.lines_of(core, subscription["items"]["data"], period(subscription))
    invoice_collection.collect(
        core, billing_cycle.bill(core, subscription, entries, "subscription_update", (before, now))
    )
    return subscription


def credit_rest(core: StripeCore, subscription: Thing) -> None:
    """What a cancellation in mid-period gives back; pending until an invoice takes it up."""
    entries = _prorations(core, subscription, [], core.now())
    core.save(subscription, _pending=[*subscription["_pending"], *entries])


def _interval(item: Thing) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _item(subscription: Thing, wanted: Wanted, span: tuple[int, int], now: int) -> Thing:
    for item in subscription["items"]["data"]:
        if item["id"] == wanted.item_id:
            told = {"price": wanted.price, "quantity": wanted.quantity, "metadata": wanted.metadata}
            return {**copy.deepcopy(item), **told}
    made = billing_cycle.new_item(subscription["id"], wanted.price, wanted.quantity, span, now)
    return {**made, "metadata": wanted.metadata}


def _prorations(core: StripeCore, subscription: Thing, after: list[Thing], now: int) -> list[Thing]:
    """For each item that changes: minus the rest of the old one, plus the rest of the new one."""
    before, span = subscription["items"]["data"], period(subscription)
    rest, kept = _share_left(now, span), {_sort(item) for item in before} & {_sort(item) for item in after}
    running, found = [one["id"] for one in billing_cycle.discounts_of(core, subscription)], []
    for item in before:
        if _sort(item) not in kept and _worth(item, rest):
            billed = proration_discounts.line_of(core, subscription, item)
            discounts, credited = proration_discounts.taken_off(billed), proration_discounts.credited_items(billed)
            amount = _discounted(core, item, rest, discounts)
            found.append(invoice_lines.proration(core, item, -amount, (now, span[1]), discounts, credited))
    for item in after:
        if _sort(item) not in kept and _worth(item, rest):
            amount = _discounted(core, item, rest, running)
            found.append(invoice_lines.proration(core, item, amount, (now, span[1]), running))
    return found


def _sort(item: Thing) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _worth(item: Thing, share: float) -> int:
    return round(int(item["price"]["unit_amount"]) * int(item["quantity"]) * share)


def _discounted(core: StripeCore, item: Thing, share: float, discounts: list[str]) -> int:
    whole = int(item["price"]["unit_amount"]) * int(item["quantity"])
    return round(proration_discounts.left_of(core, whole, discounts) * share)


def _share_left(now: int, span: tuple[int, int]) -> float:
    start, end = span
    return min(1.0, max(0.0, (end - now) / (end - start)))
