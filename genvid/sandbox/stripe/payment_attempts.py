"""Attempts to pay a payment intent: success, refusal, 3-D Secure, bank debit, authorization."""

from dataclasses import dataclass
from typing import Any

from genvid.sandbox.stripe import cards, dispute_resource
from genvid.sandbox.stripe.cards import Refusal
from genvid.sandbox.stripe.charge_resource import create_charge, new_secret, settle_charge
from genvid.sandbox.stripe.due_times import DAY
from genvid.sandbox.stripe.object_store import Json, public_fields
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import DOCS

DEBIT_TAKES = 4 * DAY
PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


@dataclass(frozen=True)
class Attempt:
    method: Json
    buyer_is_there: bool = True
    authenticated: bool | None = None
    """The outcome of 3-D Secure; None before it was asked for."""
    verdict: bool | None = None
    """Whether the payment succeeds; None leaves that to the card."""
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
        asking = cards.behaviour_of(self.method) in cards.ASKING and self.buyer_is_there
        return asking and self.authenticated is None and self.verdict is None


def create_intent(core: StripeCore, amount: int, currency: str, customer: str | None, **fields: Any) -> Json:
    intent = core.new("payment_intent", "pi_3", amount=amount, currency=currency, customer=customer, **fields)
    core.save(intent, client_secret=new_secret(intent["id"]))
    core.emit("payment_intent.created", intent)
    return intent


def payment_method_choices(*settings: Json | None) -> Json:
    """The payment method types and options of these `payment_settings`; later ones overrule earlier ones."""
    found: Json = {"payment_method_types": list(cards.METHOD_TYPES)}
    for one in settings:
        given = (one or {}).items()
        found |= {name: value for name, value in given if value and name.startswith("payment_method_")}
    return found


def attempt_payment(core: StripeCore, intent: Json, tried: Attempt) -> Json:
    core.save(intent, last_payment_error=None, next_action=None, payment_method=tried.method["id"])
    if tried.asks or _is_forced(intent, tried):
        return require_action(core, intent, tried.return_url)
    if tried.refusal is not None:
        return record_refusal(core, intent, tried.method, tried.refusal)
    if tried.method["type"] == cards.BANK_ACCOUNT and tried.verdict is None:
        return start_debit(core, intent, tried.method)
    if intent["capture_method"] == "manual":
        return authorize(core, intent, create_charge(core, intent, tried.method, "succeeded", captured=False))
    return record_success(core, intent, create_charge(core, intent, tried.method, "succeeded"))


def _is_forced(intent: Json, tried: Attempt) -> bool:
    wanted = ((intent["payment_method_options"] or {}).get("card") or {}).get("request_three_d_secure")
    is_open = tried.authenticated is None and tried.verdict is None and tried.buyer_is_there
    return wanted in ("any", "challenge") and tried.method["type"] == "card" and is_open


def require_action(core: StripeCore, intent: Json, return_url: str | None) -> Json:
    page = f"{core.base}/pay/secure/{intent['id']}"
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    core.save(intent, status="requires_action", next_action=action)
    core.emit("payment_intent.requires_action", intent)
    return intent


def record_refusal(core: StripeCore, intent: Json, method: Json, refusal: Refusal) -> Json:
    charge = None
    if refusal is not cards.AUTHENTICATION_FAILED:
        charge = create_charge(core, intent, method, "failed", refusal)
        core.emit("charge.failed", charge)
    error = refusal_fields(refusal, method, charge)
    core.save(
        intent,
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=error,
        latest_charge=charge["id"] if charge else intent["latest_charge"],
    )
    core.emit("payment_intent.payment_failed", intent)
    return intent


def refusal_fields(refusal: Refusal, method: Json, charge: Json | None) -> Json:
    error: Json = {"code": refusal.code, "message": refusal.message, "type": "card_error"}
    error |= {"doc_url": DOCS + refusal.code.replace("_", "-"), "payment_method": public_fields(method)}
    if charge is not None:
        error["charge"] = charge["id"]
    return error | ({"decline_code": refusal.decline_code} if refusal.decline_code else {})


def start_debit(core: StripeCore, intent: Json, method: Json) -> Json:
    """The debit settles four days later, or earlier by the action `settle_bank`."""
    charge = create_charge(core, intent, method, "pending")
    core.emit("charge.pending", charge)
    due = core.now() + DEBIT_TAKES
    core.save(intent, status="processing", latest_charge=charge["id"], _settles_at=due)
    core.emit("payment_intent.processing", intent)
    return intent


def settle_debit(core: StripeCore, intent: Json, *, succeeds: bool) -> Json:
    charge = core.get("charge", intent["latest_charge"])
    if succeeds:
        core.save(charge, status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
        return record_success(core, intent, charge)
    method = core.get("payment_method", intent["payment_method"])
    refusal = cards.ACCOUNTS.get(method["_number"]) or cards.DEBIT_FAILED
    core.save(charge, status="failed", failure_code=refusal.code, failure_message=refusal.message)
    core.emit("charge.failed", charge)
    error = refusal_fields(refusal, method, charge) | {"type": "invalid_request_error"}
    core.save(intent, status="requires_payment_method", payment_method=None, last_payment_error=error)
    core.emit("payment_intent.payment_failed", intent)
    return intent


def authorize(core: StripeCore, intent: Json, charge: Json) -> Json:
    core.emit("charge.succeeded", charge)
    amount = intent["amount"]
    core.save(intent, status="requires_capture", amount_capturable=amount, latest_charge=charge["id"])
    core.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def record_success(core: StripeCore, intent: Json, charge: Json) -> Json:
    core.emit("charge.succeeded", charge)
    core.save(intent, status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
    core.emit("payment_intent.succeeded", intent)
    settle_charge(core, charge)
    behaviour = cards.behaviour_of(core.get("payment_method", charge["payment_method"]))
    if behaviour in ("dispute", "inquiry"):
        dispute_resource.open_dispute(core, charge, None, "fraudulent", warning=behaviour == "inquiry")
    elif behaviour == "fraud_warning":
        dispute_resource.create_fraud_warning(core, charge)
    return intent


def cancel_intent(core: StripeCore, intent: Json, reason: str | None) -> Json:
    now = core.now()
    ended = {"amount_capturable": 0, "next_action": None}
    if intent["status"] == "requires_capture":
        charge = core.get("charge", intent["latest_charge"])
        core.change(charge, "charge.refunded", amount_refunded=charge["amount"], refunded=True)
    core.save(intent, status="canceled", canceled_at=now, cancellation_reason=reason, **ended)
    core.emit("payment_intent.canceled", intent)
    return intent


def create_setup_intent(
    core: StripeCore, customer: str | None, method: Json | None, status: str, **fields: Any
) -> Json:
    chosen = {"customer": customer, "payment_method": method["id"] if method else None, "status": status}
    intent = core.new("setup_intent", "seti_1", **chosen, **fields)
    core.save(intent, client_secret=new_secret(intent["id"]))
    core.emit("setup_intent.created", intent)
    if status == "succeeded":
        core.emit("setup_intent.succeeded", intent)
    return intent
