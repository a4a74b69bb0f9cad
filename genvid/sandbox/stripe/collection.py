"""What a paid or unpaid invoice does to its subscription."""

from genvid.sandbox.stripe import invoices, pause_collection
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.payments import Attempt


def collect(bank: Bank, invoice: Thing, *, verdict: bool | None = None, tried: Attempt | None = None) -> Thing:
    """Tries to get an invoice paid, by the card on file unless told otherwise, with all that follows."""
    behavior = pause_collection.running(bank, invoices.subscription_of(bank, invoice))
    if behavior is not None:
        return pause_collection.put_aside(bank, invoice, behavior)
    if tried is None and verdict is None and invoice["collection_method"] == "send_invoice":
        bank.emit("invoice.sent", invoice)
        return _sent(bank, invoice)
    if tried is None:
        method = method_for(bank, invoice)
        tried = Attempt(method, buyer_is_there=False, verdict=verdict) if method else None
    invoices.pay(bank, invoice, tried)
    follow(bank, invoice)
    return invoice


def _sent(bank: Bank, invoice: Thing) -> Thing:
    """Its customer pays when it suits them; the subscription runs meanwhile."""
    if invoice["amount_remaining"] == 0:
        invoices.settle(bank, invoice)
    subscription = invoices.subscription_of(bank, invoice)
    if subscription is not None:
        _recover(bank, subscription)
    return invoice


def method_for(bank: Bank, invoice: Thing) -> Thing | None:
    """The subscription's own payment method, or else the customer's default."""
    subscription = invoices.subscription_of(bank, invoice)
    customer = bank.get("customer", invoice["customer"])
    chosen = subscription["default_payment_method"] if subscription else invoice["default_payment_method"]
    chosen = chosen or (customer.get("invoice_settings") or {}).get("default_payment_method")
    chosen = chosen or customer.get("default_source")
    return bank.get("payment_method", chosen) if chosen else None


def follow(bank: Bank, invoice: Thing) -> None:
    """The subscription follows its latest invoice."""
    subscription = invoices.subscription_of(bank, invoice)
    if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
        return
    if invoice["status"] == "paid" or invoices.intent_of(bank, invoice)["status"] == "processing":
        _keep_method(bank, subscription, invoice)
        _recover(bank, subscription)
    elif subscription["status"] not in ("incomplete", "paused"):
        _fall_behind(bank, subscription, invoice)


def _keep_method(bank: Bank, subscription: Thing, invoice: Thing) -> None:
    """What paid once pays from then on, where the subscription says so."""
    wanted = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
    if not wanted or not invoice["amount_paid"] or subscription["default_payment_method"]:
        return
    paid_with = invoices.intent_of(bank, invoice)["payment_method"]
    bank.change(subscription, "customer.subscription.updated", default_payment_method=paid_with)


def _recover(bank: Bank, subscription: Thing) -> None:
    if subscription["status"] == "paused":
        bank.change(subscription, "customer.subscription.updated", status="active")
        bank.emit("customer.subscription.resumed", subscription)
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        bank.change(subscription, "customer.subscription.updated", status="active")


def follow_resumption(bank: Bank, subscription: Thing) -> None:
    """A paused subscription goes on without an invoice."""
    _recover(bank, subscription)


def _fall_behind(bank: Bank, subscription: Thing, invoice: Thing) -> None:
    if invoice["next_payment_attempt"] is not None:
        bank.change(subscription, "customer.subscription.updated", status="past_due")
        return
    bank.change(invoice, "invoice.updated", auto_advance=False)
    if bank.board.now.stripe_final_failure == "unpaid":
        bank.change(subscription, "customer.subscription.updated", status="unpaid")
    else:
        end(bank, subscription, reason="payment_failed")


def end(bank: Bank, subscription: Thing, *, reason: str = "cancellation_requested") -> Thing:
    """Over at once."""
    now = bank.now(subscription["customer"])
    details = {**subscription["cancellation_details"], "reason": reason}
    bank.save(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        cancel_at_period_end=False,
        cancellation_details=details,
        ended_at=now,
    )
    for invoice in bank.books.all("invoice", customer=subscription["customer"], status="open"):
        if (invoices.subscription_of(bank, invoice) or {}).get("id") == subscription["id"]:
            bank.change(invoice, "invoice.updated", next_payment_attempt=None, auto_advance=False)
    bank.emit("customer.subscription.deleted", subscription)
    return subscription
