"""Changes of a running subscription's prices and quantities, with their prorations."""

import copy
from dataclasses import dataclass, field

from genvid.sandbox.stripe import billing_cycle, invoice_collection, invoice_lines, proration_discounts
from genvid.sandbox.stripe.billing_cycle import UPDATED
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore


@dataclass(frozen=True)
class ItemChange:
    """An item after the change. Without an id it is new; with quantity 0 it is removed."""

    item_id: str | None
    price: Json
    quantity: int
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PricedChange:
    items: list[Json]
    prorations: list[Json]
    restarts: bool
    """Another interval begins a new period."""


def price_change(
    core: StripeCore, subscription: Json, wanted: list[ItemChange], behavior: str, at: int
) -> PricedChange:
    span, before = period(subscription), subscription["items"]["data"]
    after = [_item(subscription, one, span, at) for one in wanted if one.quantity]
    restarts = _interval(before[0]) != _interval(after[0]) and subscription["status"] != "trialing"
    free = behavior == "none" or subscription["status"] == "trialing"
    return PricedChange(after, [] if free else _prorations(core, subscription, [] if restarts else after, at), restarts)


def change_items(core: StripeCore, subscription: Json, wanted: list[ItemChange], behavior: str) -> Json:
    """Changes the items at once, and bills the difference now, later or never, as `behavior` says."""
    now = core.now()
    change = price_change(core, subscription, wanted, behavior, now)
    core.save(subscription, _pending=[*subscription["_pending"], *change.prorations])
    if change.restarts:
        return _restart(core, subscription, change.items)
    items = {**subscription["items"], "data": change.items}
    core.change(subscription, UPDATED, items=items)
    if behavior == "always_invoice" and change.prorations:
        start = period(subscription)[0]
        invoice = billing_cycle.create_subscription_invoice(core, subscription, [], "subscription_update", (start, now))
        invoice_collection.collect_invoice(core, invoice)
    return subscription


def restart_period(core: StripeCore, subscription: Json, behavior: str) -> Json:
    if behavior != "none" and subscription["status"] != "trialing":
        credit_unused_time(core, subscription)
    return _restart(core, subscription, subscription["items"]["data"])


def _restart(core: StripeCore, subscription: Json, items: list[Json]) -> Json:
    now = core.now()
    billing_cycle.begin_period(core, subscription, now, "subscription_update", items=items, billing_cycle_anchor=now)
    return subscription


def credit_unused_time(core: StripeCore, subscription: Json) -> None:
    entries = _prorations(core, subscription, [], core.now())
    core.save(subscription, _pending=[*subscription["_pending"], *entries])


def _interval(item: Json) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _item(subscription: Json, wanted: ItemChange, span: tuple[int, int], now: int) -> Json:
    for item in subscription["items"]["data"]:
        if item["id"] == wanted.item_id:
            fields = {"price": wanted.price, "quantity": wanted.quantity, "metadata": wanted.metadata}
            return {**copy.deepcopy(item), **fields}
    made = billing_cycle.new_item(subscription["id"], wanted.price, wanted.quantity, span, now)
    return {**made, "metadata": wanted.metadata}


def _prorations(core: StripeCore, subscription: Json, after: list[Json], now: int) -> list[Json]:
    """For each item that changes: minus the unused time of the old one, plus the remaining time of the new one."""
    before, span = subscription["items"]["data"], period(subscription)
    rest, kept = _share_left(now, span), {_identity(item) for item in before} & {_identity(item) for item in after}
    running, found = [one["id"] for one in billing_cycle.discounts_of(core, subscription)], []
    for item in before:
        if _identity(item) not in kept and _amount_of_share(item, rest):
            billed = proration_discounts.line_of(core, subscription, item)
            discounts, credited = proration_discounts.taken_off(billed), proration_discounts.credited_items(billed)
            amount = _discounted(core, item, rest, discounts)
            found.append(invoice_lines.proration_line(core, item, -amount, (now, span[1]), discounts, credited))
    for item in after:
        if _identity(item) not in kept and _amount_of_share(item, rest):
            amount = _discounted(core, item, rest, running)
            found.append(invoice_lines.proration_line(core, item, amount, (now, span[1]), running))
    return found


def _identity(item: Json) -> tuple[str, str, int]:
    return item["id"], item["price"]["id"], item["quantity"]


def _amount_of_share(item: Json, share: float) -> int:
    return round(int(item["price"]["unit_amount"]) * int(item["quantity"]) * share)


def _discounted(core: StripeCore, item: Json, share: float, discounts: list[str]) -> int:
    whole = int(item["price"]["unit_amount"]) * int(item["quantity"])
    return round(proration_discounts.left_of(core, whole, discounts) * share)


def _share_left(now: int, span: tuple[int, int]) -> float:
    start, end = span
    return min(1.0, max(0.0, (end - now) / (end - start)))
