"""Subscriptions."""

from genvid.sandbox.stripe import (
    billing_cycle,
    currencies,
    invoice_collection,
    invoice_lifecycle,
    pause_collection,
    payment_method_resource,
    promotion_resource,
    trial_ends,
)
from genvid.sandbox.stripe.billing_cycle import UPDATED, SubscriptionOrder
from genvid.sandbox.stripe.defaults import defaults
from genvid.sandbox.stripe.due_times import DAY, period
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import Condition, equal_to, page
from genvid.sandbox.stripe.object_store import Json, list_object
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.resources import reading
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter, no_such
from genvid.sandbox.stripe.stripe_operations import Call, Operation
from genvid.sandbox.stripe.subscription_changes import ItemChange, change_items, credit_unused_time, restart_period

LONGEST_TRIAL = 5 * 366 * DAY
ENDED = ("canceled", "incomplete_expired")


def create(call: Call) -> Json:
    form, core = call.form, call.core
    customer = core.get_existing("customer", form.need("customer"), "customer")
    items = [(_price(core, part), part.count("quantity")) for part in form.parts("items")]
    if not items:
        raise missing_parameter("items")
    currencies.check_price(form.text("currency"), items[0][0])
    extra, method = _kept_fields(call, defaults("subscription")), _method(call, customer)
    order = SubscriptionOrder(customer, items, method, _trial_end(call), form.map("metadata"), extra)
    order.item_metadata = [part.map("metadata") for part in form.parts("items")]
    waits = form.text("payment_behavior") == "default_incomplete"
    subscription = billing_cycle.create_subscription(core, order)
    _discount(call, subscription)
    invoice = billing_cycle.first_invoice(core, subscription)
    if waits and invoice["amount_due"] and invoice["collection_method"] == "charge_automatically":
        invoice_lifecycle.intent_of(core, invoice)
    else:
        invoice_collection.collect_invoice(core, invoice, tried=_first_attempt(call, invoice))
    if form.flag("cancel_at_period_end"):
        subscription = core.get("subscription", subscription["id"])
        core.change(subscription, UPDATED, **cancellation(core, subscription, True))
    return core.get("subscription", subscription["id"])


def _first_attempt(call: Call, invoice: Json) -> Attempt | None:
    """The buyer is present unless `off_session` says otherwise."""
    method = invoice_collection.payment_method_for(call.core, invoice)
    if method is None or invoice["collection_method"] == "send_invoice":
        return None
    return Attempt(method, buyer_is_there=not call.form.flag("off_session"))


def _method(call: Call, customer: Json) -> str | None:
    wanted = call.form.text("default_payment_method")
    return payment_method_resource.attach_payment_method(call.core, wanted, customer["id"])["id"] if wanted else None


def _price(core: StripeCore, form: Form) -> Json:
    price = core.get("price", form.need("price"), form.name("price"))
    if price["recurring"] is None:
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
        )
        raise StripeError(message, param=form.name("price"))
    return price


def _trial_end(call: Call) -> int | None:
    days = call.form.number("trial_period_days")
    now = call.core.now()
    if call.form.text("trial_end") == "now":
        return None
    end = now + days * DAY if days else call.form.number("trial_end")
    if end is not None and not now < end <= now + LONGEST_TRIAL:
        raise StripeError("Trials end in the future, within five years.", param="trial_end")
    return end


def _discount(call: Call, subscription: Json) -> None:
    of = {"customer": subscription["customer"], "subscription": subscription["id"]}
    found = promotion_resource.create_given_discounts(call.core, call.form, of)
    if found:
        call.core.save(subscription, discounts=found)


def _kept_fields(call: Call, before: Json) -> Json:
    fields, unset = {**call.kept}, defaults("subscription")
    if "payment_settings" in fields:
        given = fields["payment_settings"] or {}
        chosen = {name: value for name, value in given.items() if value}
        fields["payment_settings"] = unset["payment_settings"] | chosen
    if "trial_settings" in fields and not ((fields["trial_settings"] or {}).get("end_behavior") or {}):
        fields["trial_settings"] = unset["trial_settings"]
    if "automatic_tax" in call.form:
        enabled = call.form.part("automatic_tax").flag("enabled")
        fields["automatic_tax"] = {**unset["automatic_tax"], "enabled": enabled}
    after = {**before, **fields}
    if after["collection_method"] == "send_invoice" and after["days_until_due"] is None:
        raise missing_parameter("days_until_due")
    if after["collection_method"] != "send_invoice" and fields.get("days_until_due") is not None:
        message = "You can only set `days_until_due` if `collection_method` is 'send_invoice'."
        raise StripeError(message, param="days_until_due")
    return fields


def update(call: Call) -> Json:
    form, core = call.form, call.core
    subscription = core.get("subscription", call.id)
    if subscription["status"] in ENDED and set(form.values) - {"metadata"}:
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    _update_fields(call, subscription)
    _discount(call, subscription)
    if form.text("trial_end"):
        _move_trial(call, subscription)
    behavior = form.text("proration_behavior") or "create_prorations"
    if form.parts("items"):
        change_items(core, subscription, wanted_items(core, subscription, form.parts("items")), behavior)
    if form.text("billing_cycle_anchor") == "now":
        restart_period(core, subscription, behavior)
    return core.get("subscription", subscription["id"])


def _update_fields(call: Call, subscription: Json) -> None:
    form, fields = call.form, call.updates(subscription) | _kept_fields(call, subscription)
    if "default_payment_method" in form:
        fields["default_payment_method"] = _method(call, {"id": subscription["customer"]})
    if "cancellation_details" in form:
        fields["cancellation_details"] = _cancellation_details(form, subscription)
    if "pause_collection" in form:
        fields["pause_collection"] = pause_collection.parse_pause(call)
    if "cancel_at_period_end" in form:
        after = {**subscription, **fields}
        fields |= cancellation(call.core, after, form.flag("cancel_at_period_end"))
    call.core.change(subscription, UPDATED, **fields)


def _cancellation_details(form: Form, subscription: Json) -> Json:
    given = form.part("cancellation_details").chosen("comment", "feedback")
    return {**subscription["cancellation_details"], **given}


def cancellation(core: StripeCore, subscription: Json, wanted: bool) -> Json:
    reason = "cancellation_requested" if wanted else None
    return {
        "cancel_at": period(subscription)[1] if wanted else None,
        "cancel_at_period_end": wanted,
        "canceled_at": core.now() if wanted else None,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason},
    }


def _move_trial(call: Call, subscription: Json) -> None:
    core, wanted = call.core, call.form.need("trial_end")
    if wanted == "now":
        if subscription["status"] == "trialing":
            trial_ends.reach_trial_end(core, subscription, reason="subscription_update")
        return
    end = call.form.need_number("trial_end")
    start = period(subscription)[0]
    core.save(subscription, billing_cycle_anchor=end, _trial_noticed=False)
    items = billing_cycle.items_in_period(subscription, start, end)
    core.change(subscription, UPDATED, items=items, status="trialing", trial_end=end)


def wanted_items(core: StripeCore, subscription: Json, parts: list[Form]) -> list[ItemChange]:
    items = subscription["items"]["data"]
    known = {item["id"]: ItemChange(item["id"], item["price"], item["quantity"], item["metadata"]) for item in items}
    added = []
    for part in parts:
        item_id = part.text("id")
        if item_id is None:
            added.append(ItemChange(None, _price(core, part), part.count("quantity"), part.map("metadata")))
            continue
        if item_id not in known:
            raise no_such("subscription_item", item_id, part.name("id"), 400)
        before = known[item_id]
        price = _price(core, part) if part.text("price") else before.price
        gone = part.flag("deleted")
        quantity = 0 if gone else part.count("quantity", before.quantity, least=0)
        metadata = part.map("metadata", before.metadata) if "metadata" in part else before.metadata
        known[item_id] = ItemChange(item_id, price, quantity, metadata)
    found = [*known.values(), *added]
    if not any(one.quantity for one in found):
        raise StripeError("A subscription must have at least one active price.", param="items")
    return found


def cancel(call: Call) -> Json:
    form, core = call.form, call.core
    subscription = core.get("subscription", call.id)
    if subscription["status"] in ENDED:
        raise no_such("subscription", call.id)
    if "cancellation_details" in form:
        core.save(subscription, cancellation_details=_cancellation_details(form, subscription))
    if form.flag("prorate"):
        credit_unused_time(core, subscription)
    if form.flag("invoice_now") and subscription["_pending"]:
        span = period(subscription)
        invoice_collection.collect_invoice(
            core, billing_cycle.create_subscription_invoice(core, subscription, [], "subscription_update", span)
        )
    return invoice_collection.end_subscription(core, core.get("subscription", subscription["id"]))


def resume(call: Call) -> Json:
    """Begins and bills a new period, or continues the old one if `unchanged` is asked for and some of it is left."""
    core, subscription = call.core, call.core.get("subscription", call.id)
    if subscription["status"] != "paused":
        raise StripeError("You can only resume a subscription that is paused.", param="subscription")
    now = core.now()
    if call.form.text("billing_cycle_anchor") == "unchanged" and now < period(subscription)[1]:
        invoice_collection.reactivate(core, subscription)
        return subscription
    billing_cycle.begin_period(core, subscription, now, "subscription_update", billing_cycle_anchor=now)
    return core.get("subscription", subscription["id"])


def list_all(call: Call) -> Json:
    status, where = call.form.text("status"), list[Condition]()
    if status is None:
        where.append(("status", "<>", "canceled"))
    elif status == "ended":
        where.append(("status", "IN", list(ENDED)))
    elif status != "all":
        where.append(("status", "=", status))
    return page(
        call, "subscription", "customer", "test_clock", equal_to("price", "items.data[0].price.id"), where=tuple(where)
    )


def list_items(call: Call) -> Json:
    subscription = call.core.get("subscription", call.form.need("subscription"), "subscription")
    return list_object("/v1/subscription_items", subscription["items"]["data"])


OPERATIONS = [
    Operation("POST", "/v1/subscriptions", create),
    Operation("GET", "/v1/subscriptions", list_all),
    reading("/v1/subscriptions", "subscription"),
    Operation("POST", "/v1/subscriptions/{id}", update),
    Operation("DELETE", "/v1/subscriptions/{id}", cancel),
    Operation("POST", "/v1/subscriptions/{id}/resume", resume),
    Operation("GET", "/v1/subscription_items", list_items),
]
