"""A subscription's life: it starts, has a trial, renews, is billed."""

import copy
from dataclasses import dataclass, field
from typing import Any

from genvid.sandbox.stripe import invoice_collection, invoice_drafts, invoice_lifecycle, invoice_lines
from genvid.sandbox.stripe.billing_dates import later
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Thing, listed, new_id
from genvid.sandbox.stripe.stripe_core import StripeCore

UPDATED = "customer.subscription.updated"


@dataclass
class Order:
    """What somebody subscribes to."""

    customer: Thing
    items: list[tuple[Thing, int]]
    method: str | None = None
    trial_end: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    beside: Thing = field(default_factory=dict)
    item_metadata: list[dict[str, str]] = field(default_factory=list)


def subscribe(core: StripeCore, order: Order) -> Thing:
    """Makes the subscription, incomplete or on trial, and tells of it."""
    now, first = core.now(), order.items[0][0]
    fields: Thing = {
        "billing_cycle_anchor": order.trial_end or now,
        "currency": first["currency"],
        "customer": order.customer["id"],
        "default_payment_method": order.method,
        "metadata": order.metadata,
        "start_date": now,
        "status": "trialing" if order.trial_end else "incomplete",
        "trial_end": order.trial_end,
        "trial_start": now if order.trial_end else None,
        **order.beside,
    }
    end = order.trial_end or later(now, first["recurring"]["interval"], first["recurring"]["interval_count"])
    subscription_id = new_id("sub_1")
    items = [new_item(subscription_id, one, quantity, (now, end), now) for one, quantity in order.items]
    for item, told in zip(items, order.item_metadata, strict=False):
        item["metadata"] = told
    url = f"/v1/subscription_items?subscription={subscription_id}"
    subscription = core.new(
        "subscription", "", **{**fields, "id": subscription_id}, items=listed(url, items), _pending=[]
    )
    core.emit("customer.subscription.created", subscription)
    return subscription


def new_item(subscription_id: str, price: Thing, quantity: int, span: tuple[int, int], created: int) -> Thing:
    return {
        "id": new_id("si_"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "current_period_end": span[1],
        "current_period_start": span[0],
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def first_invoice(core: StripeCore, subscription: Thing) -> Thing:
    """What the start costs: a period, or nothing while a trial runs."""
    free, span = subscription["status"] == "trialing", period(subscription)
    entries = lines_of(core, subscription["items"]["data"], span, free=free)
    return bill(core, subscription, entries, "subscription_create", span)


def lines_of(core: StripeCore, items: list[Thing], span: tuple[int, int], *, free: bool = False) -> list[Thing]:
    return [invoice_lines.of_item(core, item, span, free=free) for item in items]


def bill(core: StripeCore, subscription: Thing, entries: list[Thing], reason: str, span: tuple[int, int]) -> Thing:
    """Makes the invoice of these lines, and of what was left pending for it."""
    discounts = discounts_of(core, subscription)
    items = invoice_drafts.pending_items(core, subscription["customer"], subscription["currency"])
    draft = Draft(
        customer=core.get("customer", subscription["customer"]),
        entries=[*subscription["_pending"], *(invoice_drafts.line_of(one) for one in items), *entries],
        reason=reason,
        period=span,
        subscription=subscription,
        discounts=discounts,
    )
    invoice = invoice_lifecycle.make(core, draft)
    for item in items:
        core.save(item, invoice=invoice["id"])
    left = [one["id"] for one in discounts if _duration(core, one) != "once"]
    before = {"latest_invoice": subscription["latest_invoice"]}
    core.save(subscription, latest_invoice=invoice["id"], discounts=left, _pending=[])
    if before["latest_invoice"]:
        core.emit(UPDATED, subscription, before)
    return invoice


def discounts_of(core: StripeCore, subscription: Thing) -> list[Thing]:
    """Those that still run."""
    found = [core.get("discount", one) for one in subscription["discounts"]]
    now = core.now()
    return [one for one in found if one["end"] is None or one["end"] > now]


def _duration(core: StripeCore, discount: Thing) -> str:
    return str(core.get("coupon", discount["source"]["coupon"])["duration"])


def move(subscription: Thing, start: int, end: int, **fields: Any) -> Thing:
    """The items' list with another period."""
    items = copy.deepcopy(subscription["items"])
    for item in items["data"]:
        item.update(current_period_start=start, current_period_end=end)
    return {"items": items, **fields}


def next_end(subscription: Thing, start: int) -> int:
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return later(start, recurring["interval"], recurring["interval_count"], anchor)


def renew(core: StripeCore, subscription: Thing, *, verdict: bool | None = None) -> Thing:
    """The next period begins and is billed in advance."""
    before, start = period(subscription)
    end = next_end(subscription, start)
    core.change(subscription, UPDATED, **move(subscription, start, end))
    entries = lines_of(core, subscription["items"]["data"], (start, end))
    invoice = bill(core, subscription, entries, "subscription_cycle", (before, start))
    return invoice_collection.collect(core, invoice, verdict=verdict)


def end_trial(
    core: StripeCore, subscription: Thing, *, verdict: bool | None = None, reason: str = "subscription_cycle"
) -> Thing:
    """The first paid period begins now."""
    now = core.now()
    trial = period(subscription)
    core.save(subscription, billing_cycle_anchor=now)
    fields = move(subscription, now, next_end(subscription, now), status="active", trial_end=now)
    core.change(subscription, UPDATED, **fields)
    span = period(subscription)
    entries = lines_of(core, subscription["items"]["data"], span)
    invoice = bill(core, subscription, entries, reason, (trial[0], now))
    return invoice_collection.collect(core, invoice, verdict=verdict)


def reach_period_end(core: StripeCore, subscription: Thing) -> None:
    if subscription["cancel_at_period_end"]:
        invoice_collection.end(core, subscription)
    else:
        renew(core, subscription)


def give_up(core: StripeCore, subscription: Thing) -> None:
    """The first invoice was not paid in time."""
    invoice = core.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoice_lifecycle.void(core, invoice)
    now = core.now()
    core.change(subscription, UPDATED, status="incomplete_expired", ended_at=now)
