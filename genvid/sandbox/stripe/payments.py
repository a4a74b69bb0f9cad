"""Payment intents: from an attempt with a payment method to a charge, a refusal or a question to the buyer."""

from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe import cards, charges, disputes
from genvid.sandbox.stripe.bank import Bank, owner
from genvid.sandbox.stripe.books import Thing, new_id, shown
from genvid.sandbox.stripe.cards import Refusal
from genvid.sandbox.stripe.errors import DOCS
from genvid.sandbox.stripe.timetable import DAY

DEBIT_TAKES = 4 * DAY
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


@dataclass(frozen=True)
class Attempt:
    """How a payment is tried."""

    method: Thing
    buyer_is_there: bool = True
    authenticated: bool | None = None
    """What came of 3-D Secure; None before it was asked for."""
    verdict: bool | None = None
    """Whether it succeeds, if that is not to be the card's decision."""
    return_url: str | None = None

    @property
    def refusal(self) -> Refusal | None:
        deed = cards.deed_of(self.method)
        if self.verdict is not None:
            return None if self.verdict else cards.DECLINED
        if self.authenticated is False:
            return cards.AUTHENTICATION_FAILED
        if deed in ("authenticate", "authenticate_always") and not self.buyer_is_there:
            return cards.NEEDS_AUTHENTICATION
        return cards.REFUSALS.get(deed)

    @property
    def asks(self) -> bool:
        """The buyer has to authenticate first."""
        asking = cards.deed_of(self.method) in cards.ASKING and self.buyer_is_there
        return asking and self.authenticated is None and self.verdict is None


def make_intent(bank: Bank, amount: int, currency: str, customer: str | None, **fields: Any) -> Thing:
    body: Thing = {
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": customer,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **fields,
    }
    intent = bank.new("payment_intent", "pi_3", **body)
    bank.save(intent, client_secret=charges.new_secret(intent["id"]))
    bank.emit("payment_intent.created", intent)
    return intent


def choices(*settings: Thing | None) -> Thing:
    """Which payment methods may pay an invoice, as these `payment_settings` say; later ones go before."""
    found: Thing = {"payment_method_types": list(cards.METHOD_TYPES)}
    for one in settings:
        given = (one or {}).items()
        found |= {name: value for name, value in given if value and name.startswith("payment_method_")}
    return found


def attempt(bank: Bank, intent: Thing, tried: Attempt) -> Thing:
    """Tries to pay. The intent's status says what came of it."""
    bank.save(intent, last_payment_error=None, next_action=None, payment_method=tried.method["id"])
    if tried.asks or _insists(intent, tried):
        return ask(bank, intent, tried.return_url)
    if tried.refusal is not None:
        return refuse(bank, intent, tried.method, tried.refusal)
    if tried.method["type"] == cards.BANK_ACCOUNT and tried.verdict is None:
        return debit(bank, intent, tried.method)
    if intent["capture_method"] == "manual":
        return authorize(bank, intent, charges.make(bank, intent, tried.method, "succeeded", captured=False))
    return succeed(bank, intent, charges.make(bank, intent, tried.method, "succeeded"))


def _insists(intent: Thing, tried: Attempt) -> bool:
    """3-D Secure was asked for, whatever the card says."""
    wanted = ((intent["payment_method_options"] or {}).get("card") or {}).get("request_three_d_secure")
    is_open = tried.authenticated is None and tried.verdict is None and tried.buyer_is_there
    return wanted in ("any", "challenge") and tried.method["type"] == "card" and is_open


def ask(bank: Bank, intent: Thing, return_url: str | None) -> Thing:
    page = f"{bank.base}/pay/secure/{intent['id']}"
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    bank.save(intent, status="requires_action", next_action=action)
    bank.emit("payment_intent.requires_action", intent)
    return intent


def refuse(bank: Bank, intent: Thing, method: Thing, refusal: Refusal) -> Thing:
    charge = None
    if refusal is not cards.AUTHENTICATION_FAILED:
        charge = charges.make(bank, intent, method, "failed", refusal)
        bank.emit("charge.failed", charge)
    error = error_of(refusal, method, charge)
    bank.save(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        latest_charge=charge["id"] if charge else intent["latest_charge"],
    )
    bank.emit("payment_intent.payment_failed", intent)
    return intent


def error_of(refusal: Refusal, method: Thing, charge: Thing | None) -> Thing:
    error: Thing = {"code": refusal.code, "message": refusal.message, "type": "card_error"}
    error |= {"doc_url": DOCS + refusal.code.replace("_", "-"), "payment_method": shown(method)}
    if charge is not None:
        error["charge"] = charge["id"]
    return error | ({"decline_code": refusal.decline_code} if refusal.decline_code else {})


def debit(bank: Bank, intent: Thing, method: Thing) -> Thing:
    """A bank account answers days later, by itself or when a lever says so: see `settle_debit`."""
    charge = charges.make(bank, intent, method, "pending")
    bank.emit("charge.pending", charge)
    due = bank.now(owner(method)) + DEBIT_TAKES
    bank.save(intent, status="processing", latest_charge=charge["id"], _settles_at=due)
    bank.emit("payment_intent.processing", intent)
    return intent


def settle_debit(bank: Bank, intent: Thing, *, succeeds: bool) -> Thing:
    charge = bank.get("charge", intent["latest_charge"])
    if succeeds:
        bank.save(charge, status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
        return succeed(bank, intent, charge)
    method = bank.get("payment_method", intent["payment_method"])
    refusal = cards.ACCOUNTS.get(method["_number"]) or cards.DEBIT_FAILED
    bank.save(charge, status="failed", failure_code=refusal.code, failure_message=refusal.message)
    bank.emit("charge.failed", charge)
    error = error_of(refusal, method, charge) | {"type": "invalid_request_error"}
    bank.save(intent, status="requires_payment_method", payment_method=None, last_payment_error=error)
    bank.emit("payment_intent.payment_failed", intent)
    return intent


def authorize(bank: Bank, intent: Thing, charge: Thing) -> Thing:
    """The money is only held: see `captures`."""
    bank.emit("charge.succeeded", charge)
    amount = intent["amount"]
    bank.save(intent, status="requires_capture", amount_capturable=amount, latest_charge=charge["id"])
    bank.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def succeed(bank: Bank, intent: Thing, charge: Thing) -> Thing:
    bank.emit("charge.succeeded", charge)
    bank.save(intent, status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
    bank.emit("payment_intent.succeeded", intent)
    charges.settle(bank, charge)
    deed = cards.deed_of(bank.get("payment_method", charge["payment_method"]))
    if deed in ("dispute", "inquiry"):
        disputes.open_dispute(bank, charge, None, "fraudulent", warning=deed == "inquiry")
    elif deed == "fraud_warning":
        disputes.warn(bank, charge)
    return intent


def cancel(bank: Bank, intent: Thing, reason: str | None) -> Thing:
    now = bank.now(intent["customer"])
    ended = {"amount_capturable": 0, "next_action": None}
    if intent["status"] == "requires_capture":
        charge = bank.get("charge", intent["latest_charge"])
        bank.change(charge, "charge.refunded", amount_refunded=charge["amount"], refunded=True)
    bank.save(intent, status="canceled", canceled_at=now, cancellation_reason=reason, **ended)
    bank.emit("payment_intent.canceled", intent)
    return intent


def make_setup(bank: Bank, customer: str | None, method: Thing | None, status: str, **fields: Any) -> Thing:
    """A setup intent: the permission to charge a payment method later."""
    body: Thing = {
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": None,
        "customer": customer,
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"] if method else None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": status,
        "usage": "off_session",
        **fields,
    }
    intent = bank.new("setup_intent", "seti_1", **body)
    bank.save(intent, client_secret=f"{intent['id']}_secret_{new_id('')}")
    bank.emit("setup_intent.created", intent)
    if status == "succeeded":
        bank.emit("setup_intent.succeeded", intent)
    return intent
