"""Trials that end without a payment method, and subscriptions that pause because of it."""

from genvid.sandbox.stripe import billing_cycle, invoice_collection
from genvid.sandbox.stripe.billing_cycle import UPDATED
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore


def end_trial(core: StripeCore, subscription: Thing, *, reason: str = "subscription_cycle") -> Thing:
    """As `trial_settings` says where nobody could be charged; else the first paid period begins."""
    behavior = (subscription["trial_settings"] or {}).get("end_behavior") or {}
    wanted = behavior.get("missing_payment_method") or "create_invoice"
    if wanted == "create_invoice" or _can_pay(core, subscription):
        return billing_cycle.end_trial(core, subscription, reason=reason)
    if wanted == "cancel":
        return invoice_collection.end(core, subscription, reason="payment_failed")
    now = core.now()
    core.change(subscription, UPDATED, status="paused", trial_end=min(subscription["trial_end"], now))
    core.emit("customer.subscription.paused", subscription)
    return subscription


def _can_pay(core: StripeCore, subscription: Thing) -> bool:
    customer = core.get("customer", subscription["customer"])
    settings = customer["invoice_settings"]["default_payment_method"]
    return bool(subscription["default_payment_method"] or settings or customer["default_source"])
