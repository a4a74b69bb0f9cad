"""Charges and balance transactions."""

from typing import Any

from genvid.sandbox.stripe import cards
from genvid.sandbox.stripe.cards import Refusal
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.stripe.resources import readable, updatable
from genvid.sandbox.stripe.stripe_core import StripeCore

FEE_SHARE, FEE_FIXED = 0.029, 30
OF_INTENT = (
    "amount",
    "currency",
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
APPROVED = {
    **dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code", "reason")),
    "network_status": "approved_by_network",
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}


def create_balance_transaction(core: StripeCore, kind: str, amount: int, source: Json, *, fee: int = 0) -> Json:
    details = {"amount": fee, "application": None, "currency": source["currency"], "description": "Stripe fee"}
    return core.new(
        "balance_transaction",
        "txn_1",
        amount=amount,
        available_on=core.now(),
        currency=source["currency"],
        fee=fee,
        fee_details=[{**details, "type": "stripe_fee"}] if fee else [],
        net=amount - fee,
        reporting_category="dispute" if kind == "adjustment" else kind,
        source=source["id"],
        type=kind,
    )


def create_charge(
    core: StripeCore,
    intent: Json,
    method: Json,
    status: str,
    refusal: Refusal | None = None,
    *,
    captured: bool = True,
) -> Json:
    """The charge of one attempt. One that is not captured only holds the money."""
    captured = captured and status == "succeeded"
    charge = core.new(
        "charge",
        "ch_3",
        **{name: intent[name] for name in OF_INTENT},
        amount_captured=intent["amount"] if captured else 0,
        billing_details=method["billing_details"],
        captured=captured,
        failure_code=refusal.code if refusal else None,
        failure_message=refusal.message if refusal else None,
        metadata=dict(intent["metadata"]),
        outcome=_outcome(refusal),
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(method),
        status=status,
    )
    return core.save(charge, receipt_url=f"{core.base}/pay/receipts/{charge['id']}")


def settle_charge(core: StripeCore, charge: Json) -> None:
    fee = round(charge["amount_captured"] * FEE_SHARE) + FEE_FIXED
    transaction = create_balance_transaction(core, "charge", charge["amount_captured"], charge, fee=fee)
    core.change(charge, "charge.updated", balance_transaction=transaction["id"])


def _outcome(refusal: Refusal | None) -> Json:
    if refusal is None:
        return APPROVED
    declined = {"network_status": "declined_by_network", "type": "issuer_declined"}
    message = "The bank did not return any further details with this decline."
    return {**APPROVED, **declined, "reason": refusal.decline_code, "seller_message": message}


def _details(method: Json) -> Json:
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: {"bank_name": method[kind]["bank_name"], "last4": method[kind]["last4"]}}
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    asks = cards.behaviour_of(method) in cards.ASKING
    secured = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"} if asks else None
    card: dict[str, Any] = {name: method["card"][name] for name in names}
    return {"type": "card", "card": {**card, "network": card["brand"], "three_d_secure": secured}}


def find_charge(core: StripeCore, wanted: str) -> Json:
    """The charge of this id, or the latest one of the payment intent of this id."""
    if wanted.startswith("pi_"):
        wanted = core.get("payment_intent", wanted, "payment_intent")["latest_charge"] or wanted
    return core.get("charge", wanted, "charge")


def new_secret(intent_id: str) -> str:
    return f"{intent_id}_secret_{new_id('')}"


OPERATIONS = [
    *readable("/v1/charges", "charge", "customer", "payment_intent"),
    updatable("/v1/charges", "charge", "charge.updated"),
    *readable("/v1/balance_transactions", "balance_transaction", "type", "source", "currency"),
]
