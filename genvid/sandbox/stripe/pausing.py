"""Trials that end without a payment method, and subscriptions that pause because of it."""

from genvid.sandbox.stripe import collection, cycle
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.cycle import UPDATED
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.timetable import period


def end_trial(core: StripeCore, subscription: Thing, *, reason: str = "subscription_cycle") -> Thing:
    """As `trial_settings` says where nobody could be charged; else the first paid period begins."""
    behavior = (subscription["trial_settings"] or {}).get("end_behavior") or {}
    wanted = behavior.get("missing_payment_method") or "create_invoice"
    if wanted == "create_invoice" or _can_pay(core, subscription):
        return cycle.end_trial(core, subscription, reason=reason)
    if wanted == "cancel":
        return collection.end(core, subscription, reason="payment_failed")
    now = core.now()
    core.change(subscription, UPDATED, status="paused", trial_end=min(subscription["trial_end"], now))
    core.emit("customer.subscription.paused", subscription)
    return subscription


def _can_pay(core: StripeCore, subscription: Thing) -> bool:
    customer = core.get("customer", subscription["customer"])
    settings = customer["invoice_settings"]["default_payment_method"]
    return bool(subscription["default_payment_method"] or settings or customer["default_source"])


def resume(call: Call) -> Thing:
    """A new period, which has to be paid first; or the rest of the old one, where there is any."""
    core, subscription = call.core, call.core.get("subscription", call.id)
    if subscription["status"] != "paused":
        raise StripeError("You can only resume a subscription that is paused.", param="subscription")
    now = core.now()
    if call.form.text("billing_cycle_anchor") == "unchanged" and now < period(subscription)[1]:
        collection.recover(core, subscription)
        return subscription
    core.save(subscription, billing_cycle_anchor=now)
    core.change(subscription, UPDATED, **cycle.move(subscription, now, cycle.next_end(subscription, now)))
    span = period(subscription)
    entries = cycle.lines_of(core, subscription["items"]["data"], span)
    collection.collect(core, cycle.bill(core, subscription, entries, "subscription_update", (now, now)))
    return core.get("subscription", subscription["id"])


OPERATIONS = [Operation("POST", "/v1/subscriptions/{id}/resume", resume)]
