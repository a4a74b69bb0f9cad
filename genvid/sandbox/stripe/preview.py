"""What an invoice would be: the next one of a subscription, or that of a change not made yet."""

from genvid.sandbox.stripe import changes, invoices, manual_invoices, subscriptions
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.cycle import discounts_of, lines_of, next_end
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.forms import Form
from genvid.sandbox.stripe.invoices import Draft
from genvid.sandbox.stripe.object_store import Thing, new_id
from genvid.sandbox.stripe.timetable import period


def create_preview(call: Call) -> Thing:
    core, details = call.core, call.form.part("subscription_details")
    subscription = core.get("subscription", call.form.need("subscription"), "subscription")
    if subscription["status"] in subscriptions.OVER:
        raise StripeError("This subscription is canceled.", code="invoice_upcoming_none", param="subscription")
    if call.form.text("customer") not in (None, subscription["customer"]):
        raise StripeError("The subscription is not this customer's.", param="customer")
    reason, entries = _content(core, subscription, details)
    items = manual_invoices.pending_items(core, subscription["customer"], subscription["currency"])
    draft = Draft(
        customer=core.get("customer", subscription["customer"]),
        entries=[*subscription["_pending"], *(manual_invoices.line_of(core, one) for one in items), *entries],
        reason=reason,
        period=period(subscription),
        subscription=subscription,
        discounts=discounts_of(core, subscription),
    )
    now = core.now(subscription["customer"])
    told = {"id": new_id("upcoming_in_"), "object": "invoice", "created": now, "livemode": False}
    return {**told, **invoices.body_of(core, draft)}


def _content(core: StripeCore, subscription: Thing, details: Form) -> tuple[str, list[Thing]]:
    """Without a change, the next period. A change is shown as it would be billed at once, or with the next period."""
    behavior = details.word("proration_behavior", *subscriptions.BEHAVIORS)
    if not details.parts("items"):
        return "upcoming", _next_period(subscription, subscription["items"]["data"], core)
    at = details.number("proration_date", core.now(subscription["customer"])) or 0
    wanted = subscriptions.wanted_items(core, subscription, details.parts("items"))
    change = changes.outcome(core, subscription, wanted, behavior, at)
    if change.restarts:
        end = next_end(_with(subscription, change.items, at), at)
        return "subscription_update", [*change.prorations, *lines_of(core, change.items, (at, end))]
    if behavior == "always_invoice":
        return "subscription_update", change.prorations
    return "upcoming", [*change.prorations, *_next_period(subscription, change.items, core)]


def _next_period(subscription: Thing, items: list[Thing], core: StripeCore) -> list[Thing]:
    start = period(subscription)[1]
    return lines_of(core, items, (start, next_end(subscription, start)))


def _with(subscription: Thing, items: list[Thing], anchor: int) -> Thing:
    return {**subscription, "items": {**subscription["items"], "data": items}, "billing_cycle_anchor": anchor}


OPERATIONS = [Operation("POST", "/v1/invoices/create_preview", create_preview)]
