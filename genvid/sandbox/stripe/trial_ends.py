"""Ends of trials, by their `trial_settings`."""

from genvid.sandbox.stripe import billing_cycle, invoice_collection
from genvid.sandbox.stripe.billing_cycle import UPDATED
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore


def reach_trial_end(core: StripeCore, subscription: Json, *, reason: str = "subscription_cycle") -> Json:
    """Begins the first paid period, or cancels or pauses a subscription without a payment method."""
    behavior = (subscription["trial_settings"] or {}).get("end_behavior") or {}
    wanted = behavior.get("missing_payment_method") or "create_invoice"
    if wanted == "create_invoice" or _can_pay(core, subscription):
        return billing_cycle.end_trial(core, subscription, reason=reason)
    if wanted == "cancel":
        return invoice_collection.end_subscription(core, subscription, reason="payment_failed")
    now = core.now()
    core.change(subscription, UPDATED, status="paused", trial_end=min(subscription["trial_end"], now))
    core.emit("customer.subscription.paused", subscription)
    return subscription


def _can_pay(core: StripeCore, subscription: Json) -> bool:
    customer = core.get("customer", subscription["customer"])
    settings = customer["invoice_settings"]["default_payment_method"]
    return bool(subscription["default_payment_method"] or settings or customer["default_source"])
