"""Collection of invoices, and what its outcome does to their subscriptions."""

from genvid.sandbox.stripe import invoice_lifecycle, pause_collection
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.stripe_core import StripeCore


def collect_invoice(
    core: StripeCore, invoice: Json, *, verdict: bool | None = None, tried: Attempt | None = None
) -> Json:
    """Attempts to collect an invoice, by the payment method on file by default, and updates its subscription."""
    behavior = pause_collection.current_behavior(core, invoice_lifecycle.subscription_of(core, invoice))
    if behavior is not None:
        return pause_collection.apply_pause(core, invoice, behavior)
    if tried is None and verdict is None and invoice["collection_method"] == "send_invoice":
        core.emit("invoice.sent", invoice)
        return _leave_to_customer(core, invoice)
    if tried is None:
        method = payment_method_for(core, invoice)
        tried = Attempt(method, buyer_is_there=False, verdict=verdict) if method else None
    invoice_lifecycle.pay_once(core, invoice, tried)
    update_subscription(core, invoice)
    return invoice


def _leave_to_customer(core: StripeCore, invoice: Json) -> Json:
    if invoice["amount_remaining"] == 0:
        invoice_lifecycle.mark_paid(core, invoice)
    subscription = invoice_lifecycle.subscription_of(core, invoice)
    if subscription is not None:
        reactivate(core, subscription)
    return invoice


def payment_method_for(core: StripeCore, invoice: Json) -> Json | None:
    subscription = invoice_lifecycle.subscription_of(core, invoice)
    customer = core.get("customer", invoice["customer"])
    chosen = subscription["default_payment_method"] if subscription else invoice["default_payment_method"]
    chosen = chosen or (customer.get("invoice_settings") or {}).get("default_payment_method")
    chosen = chosen or customer.get("default_source")
    return core.get("payment_method", chosen) if chosen else None


def update_subscription(core: StripeCore, invoice: Json) -> None:
    subscription = invoice_lifecycle.subscription_of(core, invoice)
    if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
        return
    if invoice["status"] == "paid" or invoice_lifecycle.intent_of(core, invoice)["status"] == "processing":
        _keep_method(core, subscription, invoice)
        reactivate(core, subscription)
    elif subscription["status"] not in ("incomplete", "paused"):
        _mark_past_due(core, subscription, invoice)


def _keep_method(core: StripeCore, subscription: Json, invoice: Json) -> None:
    wanted = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
    if not wanted or not invoice["amount_paid"] or subscription["default_payment_method"]:
        return
    paid_with = invoice_lifecycle.intent_of(core, invoice)["payment_method"]
    core.change(subscription, "customer.subscription.updated", default_payment_method=paid_with)


def reactivate(core: StripeCore, subscription: Json) -> None:
    if subscription["status"] == "paused":
        core.change(subscription, "customer.subscription.updated", status="active")
        core.emit("customer.subscription.resumed", subscription)
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        core.change(subscription, "customer.subscription.updated", status="active")


def _mark_past_due(core: StripeCore, subscription: Json, invoice: Json) -> None:
    if invoice["next_payment_attempt"] is not None:
        core.change(subscription, "customer.subscription.updated", status="past_due")
        return
    core.change(invoice, "invoice.updated", auto_advance=False)
    if core.settings.current.stripe_final_failure == "unpaid":
        core.change(subscription, "customer.subscription.updated", status="unpaid")
    else:
        end_subscription(core, subscription, reason="payment_failed")


def end_subscription(core: StripeCore, subscription: Json, *, reason: str = "cancellation_requested") -> Json:
    now = core.now()
    details = {**subscription["cancellation_details"], "reason": reason}
    core.save(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        cancel_at_period_end=False,
        cancellation_details=details,
        ended_at=now,
    )
    for invoice in core.objects.all("invoice", customer=subscription["customer"], status="open"):
        if (invoice_lifecycle.subscription_of(core, invoice) or {}).get("id") == subscription["id"]:
            core.change(invoice, "invoice.updated", next_payment_attempt=None, auto_advance=False)
    core.emit("customer.subscription.deleted", subscription)
    return subscription
