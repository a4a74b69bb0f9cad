"""Outcomes of a payment that come later: of 3-D Secure, or of a bank debit."""

from genvid.sandbox.stripe import cards, invoice_collection, invoice_lifecycle, payment_attempts
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.session_payment import follow_payment, make_invoice
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import check_status


def authenticate(core: StripeCore, intent: Json, *, passes: bool) -> Json | None:
    """Continues after 3-D Secure. Returns the payment's session, if it has one."""
    check_status(intent, "requires_action")
    method = core.get("payment_method", intent["payment_method"])
    tried = Attempt(method, authenticated=passes)
    for payment in core.objects.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = core.get("invoice", payment["invoice"])
        invoice_collection.collect_invoice(core, invoice, tried=tried)
        session = _session_of_invoice(core, invoice)
        return follow_payment(core, session, core.get("payment_intent", intent["id"])) if session else None
    payment_attempts.attempt_payment(core, intent, tried)
    found = core.objects.all("checkout.session", payment_intent=intent["id"])
    return follow_payment(core, found[0], intent) if found else None


def _session_of_invoice(core: StripeCore, invoice: Json) -> Json | None:
    subscription = invoice_lifecycle.subscription_of(core, invoice) or {"id": ""}
    found = core.objects.all("checkout.session", _subscription=subscription["id"], status="open")
    return found[0] if found else None


def settle_debit(core: StripeCore, intent: Json, *, succeeds: bool) -> Json:
    check_status(intent, "processing")
    payment_attempts.settle_debit(core, intent, succeeds=succeeds)
    found = core.objects.all("checkout.session", payment_intent=intent["id"])
    for payment in core.objects.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = core.get("invoice", payment["invoice"])
        (invoice_lifecycle.mark_paid if succeeds else invoice_lifecycle.mark_failed)(core, invoice)
        invoice_collection.update_subscription(core, invoice)
        found += core.objects.all("checkout.session", invoice=invoice["id"])
    for session in found:
        _settle_session(core, session, intent, succeeds)
    return intent


def _settle_session(core: StripeCore, session: Json, intent: Json, succeeds: bool) -> None:
    if not succeeds:
        core.emit("checkout.session.async_payment_failed", session)
        return
    core.save(session, payment_status="paid")
    if session["mode"] == "payment":
        make_invoice(core, session, intent)
    core.emit("checkout.session.async_payment_succeeded", session)


def debit_is_due(core: StripeCore, intent: Json) -> None:
    method = core.get("payment_method", intent["payment_method"])
    settle_debit(core, intent, succeeds=cards.ACCOUNTS.get(method["_number"]) is None)
