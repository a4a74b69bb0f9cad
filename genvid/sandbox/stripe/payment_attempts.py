"""Payment intents: from an attempt with a payment method to a charge, a refusal or a question to the buyer."""

from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe import cards, charge_resource, dispute_resource
from genvid.sandbox.stripe.cards import Refusal
from genvid.sandbox.stripe.due_times import DAY
from genvid.sandbox.stripe.object_store import Thing, shown
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import DOCS

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
        behaviour = cards.behaviour_of(self.method)
        if self.verdict is not None:
            return None if self.verdict else cards.DECLINED
        if self.authenticated is False:
            return cards.AUTHENTICATION_FAILED
        if behaviour in ("authenticate", "authenticate_always") and not self.buyer_is_there:
            return cards.NEEDS_AUTHENTICATION
        return cards.REFUSALS.get(behaviour)

    @property
    def asks(self) -> bool:
        """The buyer has to authenticate first."""
        asking = cards.behaviour_of(self.method) in cards.ASKING and self.buyer_is_there
        return asking and self.authenticated is None and self.verdict is None


def create_intent(core: StripeCore, amount: int, currency: str, customer: str | None, **fields: Any) -> Thing:
    intent = core.new("payment_intent", "pi_3", amount=amount, currency=currency, customer=customer, **fields)
    core.save(intent, client_secret=charge_resource.new_secret(intent["id"]))
    core.emit("payment_intent.created", intent)
    return intent


def choices(*settings: Thing | None) -> Thing:
    """Which payment methods may pay an invoice, as these `payment_settings` say; later ones go before."""
    found: Thing = {"payment_method_types": list(cards.METHOD_TYPES)}
    for one in settings:
        given = (one or {}).items()
        found |= {name: value for name, value in given if value and name.startswith("payment_method_")}
    return found


def attempt(core: StripeCore, intent: Thing, tried: Attempt) -> Thing:
    """Tries to pay. The intent's status says what came of it."""
    core.save(intent, last_payment_error=None, next_action=None, payment_method=tried.method["id"])
    if tried.asks or _insists(intent, tried):
        return ask(core, intent, tried.return_url)
    if tried.refusal is not None:
        return refuse(core, intent, tried.method, tried.refusal)
    if tried.method["type"] == cards.BANK_ACCOUNT and tried.verdict is None:
        return debit(core, intent, tried.method)
    if intent["capture_method"] == "manual":
        return authorize(
            core, intent, charge_resource.create_charge(core, intent, tried.method, "succeeded", captured=False)
        )
    return succeed(core, intent, charge_resource.create_charge(core, intent, tried.method, "succeeded"))


def _insists(intent: Thing, tried: Attempt) -> bool:
    """3-D Secure was asked for, whatever the card says."""
    wanted = ((intent["payment_method_options"] or {}).get("card") or {}).get("request_three_d_secure")
    is_open = tried.authenticated is None and tried.verdict is None and tried.buyer_is_there
    return wanted in ("any", "challenge") and tried.method["type"] == "card" and is_open


def ask(core: StripeCore, intent: Thing, return_url: str | None) -> Thing:
    page = f"{core.base}/pay/secure/{intent['id']}"
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    core.save(intent, status="requires_action", next_action=action)
    core.emit("payment_intent.requires_action", intent)
    return intent


def refuse(core: StripeCore, intent: Thing, method: Thing, refusal: Refusal) -> Thing:
    charge = None
    if refusal is not cards.AUTHENTICATION_FAILED:
        charge = charge_resource.create_charge(core, intent, method, "failed", refusal)
        core.emit("charge.failed", charge)
    error = error_of(refusal, method, charge)
    core.save(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        latest_charge=charge["id"] if charge else intent["latest_charge"],
    )
    core.emit("payment_intent.payment_failed", intent)
    return intent


def error_of(refusal: Refusal, method: Thing, charge: Thing | None) -> Thing:
    error: Thing = {"code": refusal.code, "message": refusal.message, "type": "card_error"}
    error |= {"doc_url": DOCS + refusal.code.replace("_", "-"), "payment_method": shown(method)}
    if charge is not None:
        error["charge"] = charge["id"]
    return error | ({"decline_code": refusal.decline_code} if refusal.decline_code else {})


def debit(core: StripeCore, intent: Thing, method: Thing) -> Thing:
    """A bank account answers days later, by itself or when a test calls for it: see `settle_debit`."""
    charge = charge_resource.create_charge(core, intent, method, "pending")
    core.emit("charge.pending", charge)
    due = core.now() + DEBIT_TAKES
    core.save(intent, status="processing", latest_charge=charge["id"], _settles_at=due)
    core.emit("payment_intent.processing", intent)
    return intent


def settle_debit(core: StripeCore, intent: Thing, *, succeeds: bool) -> Thing:
    charge = core.get("charge", intent["latest_charge"])
    if succeeds:
        core.save(charge, status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
        return succeed(core, intent, charge)
    method = core.get("payment_method", intent["payment_method"])
    refusal = cards.ACCOUNTS.get(method["_number"]) or cards.DEBIT_FAILED
    core.save(charge, status="failed", failure_code=refusal.code, failure_message=refusal.message)
    core.emit("charge.failed", charge)
    error = error_of(refusal, method, charge) | {"type": "invalid_request_error"}
    core.save(intent, status="requires_payment_method", payment_method=None, last_payment_error=error)
    core.emit("payment_intent.payment_failed", intent)
    return intent


def authorize(core: StripeCore, intent: Thing, charge: Thing) -> Thing:
    """The money is only held: see `captures`."""
    core.emit("charge.succeeded", charge)
    amount = intent["amount"]
    core.save(intent, status="requires_capture", amount_capturable=amount, latest_charge=charge["id"])
    core.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def succeed(core: StripeCore, intent: Thing, charge: Thing) -> Thing:
    core.emit("charge.succeeded", charge)
    core.save(intent, status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
    core.emit("payment_intent.succeeded", intent)
    charge_resource.settle(core, charge)
    behaviour = cards.behaviour_of(core.get("payment_method", charge["payment_method"]))
    if behaviour in ("dispute", "inquiry"):
        dispute_resource.open_dispute(core, charge, None, "fraudulent", warning=behaviour == "inquiry")
    elif behaviour == "fraud_warning":
        dispute_resource.create_fraud_warning(core, charge)
    return intent


def cancel(core: StripeCore, intent: Thing, reason: str | None) -> Thing:
    now = core.now()
    ended = {"amount_capturable": 0, "next_action": None}
    if intent["status"] == "requires_capture":
        charge = core.get("charge", intent["latest_charge"])
        core.change(charge, "charge.refunded", amount_refunded=charge["amount"], refunded=True)
    core.save(intent, status="canceled", canceled_at=now, cancellation_reason=reason, **ended)
    core.emit("payment_intent.canceled", intent)
    return intent


def create_setup_intent(
    core: StripeCore, customer: str | None, method: Thing | None, status: str, **fields: Any
) -> Thing:
    """The permission to charge a payment method later."""
    chosen = {"customer": customer, "payment_method": method["id"] if method else None, "status": status}
    intent = core.new("setup_intent", "seti_1", **chosen, **fields)
    core.save(intent, client_secret=charge_resource.new_secret(intent["id"]))
    core.emit("setup_intent.created", intent)
    if status == "succeeded":
        core.emit("setup_intent.succeeded", intent)
    return intent
