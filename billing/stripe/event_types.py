"""The types of Stripe events that we take, and which object each of them has re-read."""

from collections.abc import Mapping
from typing import Any

from billing.enums import SyncKind

# Source: https://docs.stripe.com/api/events/types
EVENT_TYPES = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "radar.early_fraud_warning.created",
)

KINDS_BY_PREFIX = {
    "checkout.session.": SyncKind.SESSION,
    "invoice.": SyncKind.INVOICE,
    "customer.subscription.": SyncKind.SUBSCRIPTION,
    "payment_intent.": SyncKind.PAYMENT_INTENT,
    "customer.deleted": SyncKind.CUSTOMER,
}
# The object of these events has the id of the charge to read.
CHARGE_PREFIXES = ("charge.dispute.", "refund.", "radar.early_fraud_warning.")


def target_of(event_type: str, obj: Mapping[str, Any]) -> tuple[SyncKind, str] | None:
    if event_type.startswith(CHARGE_PREFIXES):
        charge = obj.get("charge")
        return (SyncKind.CHARGE, str(charge["id"] if isinstance(charge, Mapping) else charge)) if charge else None
    if event_type.startswith("charge."):
        return SyncKind.CHARGE, str(obj["id"])
    for prefix, kind in KINDS_BY_PREFIX.items():
        if event_type.startswith(prefix):
            return kind, str(obj["id"])
    return None
