"""How a payment ends that was not decided while the buyer paid: by 3-D Secure, or by the bank days later."""

from genvid.sandbox.stripe import cards, checkout, collection, invoices, payments
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.payments import Attempt


def authenticate(bank: Bank, intent: Thing, *, passes: bool) -> Thing | None:
    """What came of 3-D Secure; the session it was for, if any."""
    if intent["status"] != "requires_action":
        raise StripeError(f"This PaymentIntent has a status of {intent['status']}.", param="payment_intent")
    method = bank.get("payment_method", intent["payment_method"])
    tried = Attempt(method, authenticated=passes)
    for payment in bank.books.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = bank.get("invoice", payment["invoice"])
        collection.collect(bank, invoice, tried=tried)
        session = _session_of_invoice(bank, invoice)
        return checkout.after(bank, session, bank.get("payment_intent", intent["id"])) if session else None
    payments.attempt(bank, intent, tried)
    found = bank.books.all("checkout.session", payment_intent=intent["id"])
    return checkout.after(bank, found[0], intent) if found else None


def _session_of_invoice(bank: Bank, invoice: Thing) -> Thing | None:
    subscription = invoices.subscription_of(bank, invoice) or {"id": ""}
    found = bank.books.all("checkout.session", _subscription=subscription["id"], status="open")
    return found[0] if found else None


def settle_debit(bank: Bank, intent: Thing, *, succeeds: bool) -> Thing:
    """The bank has answered, days after the session was completed."""
    if intent["status"] != "processing":
        raise StripeError(f"This PaymentIntent has a status of {intent['status']}.", param="payment_intent")
    payments.settle_debit(bank, intent, succeeds=succeeds)
    found = bank.books.all("checkout.session", payment_intent=intent["id"])
    for payment in bank.books.all("invoice_payment", payment__payment_intent=intent["id"]):
        invoice = bank.get("invoice", payment["invoice"])
        (invoices.settle if succeeds else invoices.fail)(bank, invoice)
        collection.follow(bank, invoice)
        found += bank.books.all("checkout.session", invoice=invoice["id"])
    for session in found:
        _settle_session(bank, session, intent, succeeds)
    return intent


def _settle_session(bank: Bank, session: Thing, intent: Thing, succeeds: bool) -> None:
    if not succeeds:
        bank.emit("checkout.session.async_payment_failed", session)
        return
    bank.save(session, payment_status="paid")
    if session["mode"] == "payment":
        checkout.make_invoice(bank, session, intent)
    bank.emit("checkout.session.async_payment_succeeded", session)


def debit_is_due(bank: Bank, intent: Thing) -> None:
    """The bank answers by itself: as its account's number says."""
    method = bank.get("payment_method", intent["payment_method"])
    settle_debit(bank, intent, succeeds=cards.ACCOUNTS.get(method["_number"]) is None)
