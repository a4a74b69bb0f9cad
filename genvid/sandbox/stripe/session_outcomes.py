"""How a payment ends that was not decided while the buyer paid: by 3-D Secure, or by the bank days later."""

from genvid.sandbox.stripe import cards, invoice_collection, invoice_lifecycle, payment_attempts, session_payment
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError


def authenticate(core: StripeCore, intent: Thing, *, passes: bool) -> Thing | None:
    """What came of 3-D Secure; the session it was for, if any."""
    if intent["status"] != "requires_action":
        raise StripeError(f"This PaymentIntent has a status of {intent['status']}.", param="payment_intent")
    method = core.get("payment_method", intent["payment_method"])
    tried = Attempt(method, authenticated=passes)
    for payment in core.objects.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = core.get("invoice", payment["invoice"])
        invoice_collection.collect(core, invoice, tried=tried)
        session = _session_of_invoice(core, invoice)
        return session_payment.after(core, session, core.get("payment_intent", intent["id"])) if session else None
    payment_attempts.attempt(core, intent, tried)
    found = core.objects.all("checkout.session", payment_intent=intent["id"])
    return session_payment.after(core, found[0], intent) if found else None


def _session_of_invoice(core: StripeCore, invoice: Thing) -> Thing | None:
    subscription = invoice_lifecycle.subscription_of(core, invoice) or {"id": ""}
    found = core.objects.all("checkout.session", _subscription=subscription["id"], status="open")
    return found[0] if found else None


def settle_debit(core: StripeCore, intent: Thing, *, succeeds: bool) -> Thing:
    """The bank has answered, days after the session was completed."""
    if intent["status"] != "processing":
        raise StripeError(f"This PaymentIntent has a status of {intent['status']}.", param="payment_intent")
    payment_attempts.settle_debit(core, intent, succeeds=succeeds)
    found = core.objects.all("checkout.session", payment_intent=intent["id"])
    for payment in core.objects.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = core.get("invoice", payment["invoice"])
        (invoice_lifecycle.settle if succeeds else invoice_lifecycle.fail)(core, invoice)
        invoice_collection.follow(core, invoice)
        found += core.objects.all("checkout.session", invoice=invoice["id"])
    for session in found:
        _settle_session(core, session, intent, succeeds)
    return intent


def _settle_session(core: StripeCore, session: Thing, intent: Thing, succeeds: bool) -> None:
    if not succeeds:
        core.emit("checkout.session.async_payment_failed", session)
        return
    core.save(session, payment_status="paid")
    if session["mode"] == "payment":
        session_payment.make_invoice(core, session, intent)
    core.emit("checkout.session.async_payment_succeeded", session)


def debit_is_due(core: StripeCore, intent: Thing) -> None:
    """The bank answers by itself: as its account's number says."""
    method = core.get("payment_method", intent["payment_method"])
    settle_debit(core, intent, succeeds=cards.ACCOUNTS.get(method["_number"]) is None)
