"""Subscriptions: creation, invoices of each period, renewal, ends of trials."""

from dataclasses import dataclass, field
from typing import Any

from genvid.sandbox.stripe import invoice_collection, invoice_drafts, invoice_lifecycle, invoice_lines
from genvid.sandbox.stripe.billing_dates import add_interval
from genvid.sandbox.stripe.due_times import period
from genvid.sandbox.stripe.invoice_lifecycle import Draft
from genvid.sandbox.stripe.object_store import Json, list_object, new_id
from genvid.sandbox.stripe.stripe_core import StripeCore

UPDATED = "customer.subscription.updated"


@dataclass
class SubscriptionOrder:
    customer: Json
    items: list[tuple[Json, int]]
    method: str | None = None
    trial_end: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    item_metadata: list[dict[str, str]] = field(default_factory=list)


def create_subscription(core: StripeCore, order: SubscriptionOrder) -> Json:
    now, first = core.now(), order.items[0][0]
    fields: Json = {
        "billing_cycle_anchor": order.trial_end or now,
        "currency": first["currency"],
        "customer": order.customer["id"],
        "default_payment_method": order.method,
        "metadata": order.metadata,
        "start_date": now,
        "status": "trialing" if order.trial_end else "incomplete",
        "trial_end": order.trial_end,
        "trial_start": now if order.trial_end else None,
        **order.extra,
    }
    end = order.trial_end or add_interval(now, first["recurring"]["interval"], first["recurring"]["interval_count"])
    subscription_id = new_id("sub_1")
    items = [new_item(subscription_id, one, quantity, (now, end), now) for one, quantity in order.items]
    for item, metadata in zip(items, order.item_metadata, strict=False):
        item["metadata"] = metadata
    url = f"/v1/subscription_items?subscription={subscription_id}"
    subscription = core.new(
        "subscription", "", **{**fields, "id": subscription_id}, items=list_object(url, items), _pending=[]
    )
    core.emit("customer.subscription.created", subscription)
    return subscription


def new_item(subscription_id: str, price: Json, quantity: int, span: tuple[int, int], created: int) -> Json:
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


def first_invoice(core: StripeCore, subscription: Json) -> Json:
    free, span = subscription["status"] == "trialing", period(subscription)
    entries = period_lines(core, subscription["items"]["data"], span, free=free)
    return create_subscription_invoice(core, subscription, entries, "subscription_create", span)


def period_lines(core: StripeCore, items: list[Json], span: tuple[int, int], *, free: bool = False) -> list[Json]:
    return [invoice_lines.period_line(core, item, span, free=free) for item in items]


def create_subscription_invoice(
    core: StripeCore, subscription: Json, entries: list[Json], reason: str, span: tuple[int, int]
) -> Json:
    """An invoice of these lines, the pending prorations and the customer's pending invoice items."""
    discounts = discounts_of(core, subscription)
    items = invoice_drafts.pending_items(core, subscription["customer"], subscription["currency"])
    draft = Draft(
        customer=core.get("customer", subscription["customer"]),
        entries=[*subscription["_pending"], *(invoice_drafts.invoice_item_line(one) for one in items), *entries],
        reason=reason,
        period=span,
        subscription=subscription,
        discounts=discounts,
    )
    invoice = invoice_lifecycle.create_invoice(core, draft)
    for item in items:
        core.save(item, invoice=invoice["id"])
    left = [one["id"] for one in discounts if _duration(core, one) != "once"]
    before = {"latest_invoice": subscription["latest_invoice"]}
    core.save(subscription, latest_invoice=invoice["id"], discounts=left, _pending=[])
    if before["latest_invoice"]:
        core.emit(UPDATED, subscription, before)
    return invoice


def discounts_of(core: StripeCore, subscription: Json) -> list[Json]:
    found = [core.get("discount", one) for one in subscription["discounts"]]
    now = core.now()
    return [one for one in found if one["end"] is None or one["end"] > now]


def _duration(core: StripeCore, discount: Json) -> str:
    return str(core.get("coupon", discount["source"]["coupon"])["duration"])


def items_in_period(subscription: Json, start: int, end: int) -> Json:
    span = {"current_period_start": start, "current_period_end": end}
    return {**subscription["items"], "data": [{**item, **span} for item in subscription["items"]["data"]]}


def next_end(subscription: Json, start: int) -> int:
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return add_interval(start, recurring["interval"], recurring["interval_count"], anchor)


def begin_period(
    core: StripeCore,
    subscription: Json,
    start: int,
    reason: str,
    *,
    items: list[Json] | None = None,
    verdict: bool | None = None,
    **fields: Any,
) -> Json:
    """Begins a period, with these items if they change, and bills it in advance. Returns the invoice."""
    before = period(subscription)[0]
    data = subscription["items"]["data"] if items is None else items
    changed = {**subscription, **fields, "items": {**subscription["items"], "data": data}}
    core.change(subscription, UPDATED, **fields, items=items_in_period(changed, start, next_end(changed, start)))
    entries = period_lines(core, subscription["items"]["data"], period(subscription))
    invoice = create_subscription_invoice(core, subscription, entries, reason, (before, start))
    return invoice_collection.collect_invoice(core, invoice, verdict=verdict)


def renew(core: StripeCore, subscription: Json, *, verdict: bool | None = None) -> Json:
    return begin_period(core, subscription, period(subscription)[1], "subscription_cycle", verdict=verdict)


def end_trial(
    core: StripeCore, subscription: Json, *, verdict: bool | None = None, reason: str = "subscription_cycle"
) -> Json:
    now = core.now()
    fields: Json = {"billing_cycle_anchor": now, "status": "active", "trial_end": now}
    return begin_period(core, subscription, now, reason, verdict=verdict, **fields)


def reach_period_end(core: StripeCore, subscription: Json) -> None:
    if subscription["cancel_at_period_end"]:
        invoice_collection.end_subscription(core, subscription)
    else:
        renew(core, subscription)


def expire_incomplete(core: StripeCore, subscription: Json) -> None:
    invoice = core.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoice_lifecycle.void_invoice(core, invoice)
    now = core.now()
    core.change(subscription, UPDATED, status="incomplete_expired", ended_at=now)
