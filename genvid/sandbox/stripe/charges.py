"""Charges and the balance transactions under them."""

from typing import Any

from genvid.sandbox.stripe import cards
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.cards import Refusal
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.object_store import Thing, new_id

FEE_SHARE, FEE_FIXED = 0.029, 30
APPROVED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}


def book(core: StripeCore, kind: str, amount: int, source: Thing, *, fee: int = 0) -> Thing:
    """A balance transaction: what a payment, a refund or a dispute moved."""
    now = core.now(source.get("customer") or source.get("_customer"))
    details = {"amount": fee, "application": None, "currency": source["currency"], "description": "Stripe fee"}
    transaction = core.new(
        "balance_transaction",
        "txn_1",
        amount=amount,
        available_on=now,
        balance_type="payments",
        currency=source["currency"],
        description=None,
        exchange_rate=None,
        fee=fee,
        fee_details=[{**details, "type": "stripe_fee"}] if fee else [],
        net=amount - fee,
        reporting_category="dispute" if kind == "adjustment" else kind,
        source=source["id"],
        status="available",
        type=kind,
        _customer=source.get("customer") or source.get("_customer"),
    )
    del transaction["livemode"]
    return core.save(transaction)


def make(
    core: StripeCore,
    intent: Thing,
    method: Thing,
    status: str,
    refusal: Refusal | None = None,
    *,
    captured: bool = True,
) -> Thing:
    """The charge of one attempt. One that is not captured only holds the money."""
    captured = captured and status == "succeeded"
    charge = core.new(
        "charge",
        "ch_3",
        amount=intent["amount"],
        amount_captured=intent["amount"] if captured else 0,
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=None,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="GENVID",
        captured=captured,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code=refusal.code if refusal else None,
        failure_message=refusal.message if refusal else None,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        on_behalf_of=None,
        outcome=_outcome(refusal),
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(method),
        receipt_email=intent["receipt_email"],
        receipt_number=None,
        receipt_url=None,
        refunded=False,
        review=None,
        shipping=intent["shipping"],
        statement_descriptor=intent["statement_descriptor"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        status=status,
        transfer_data=None,
        transfer_group=intent["transfer_group"],
    )
    return core.save(charge, receipt_url=f"{core.base}/pay/receipts/{charge['id']}")


def settle(core: StripeCore, charge: Thing) -> None:
    """The money has come; the fee stays with Stripe."""
    fee = round(charge["amount_captured"] * FEE_SHARE) + FEE_FIXED
    transaction = book(core, "charge", charge["amount_captured"], charge, fee=fee)
    core.change(charge, "charge.updated", balance_transaction=transaction["id"])


def _outcome(refusal: Refusal | None) -> Thing:
    if refusal is None:
        return APPROVED
    declined = {"network_status": "declined_by_network", "type": "issuer_declined"}
    told = "The bank did not return any further details with this decline."
    return {**APPROVED, **declined, "reason": refusal.decline_code, "seller_message": told}


def _details(method: Thing) -> Thing:
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: {"bank_name": method[kind]["bank_name"], "last4": method[kind]["last4"]}}
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    asked = cards.behaviour_of(method) in cards.ASKING
    secured = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"} if asked else None
    card: dict[str, Any] = {name: method["card"][name] for name in names}
    return {"type": "card", "card": {**card, "network": card["brand"], "three_d_secure": secured}}


def read(call: Call) -> Thing:
    return call.core.get("charge", call.id)


def update(call: Call) -> Thing:
    form, charge = call.form, call.core.get("charge", call.id)
    fields: Thing = {**call.kept}
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", charge["metadata"])
    return call.core.change(charge, "charge.updated", **fields)


def list_all(call: Call) -> Thing:
    return page(call, "charge", "customer", "payment_intent")


def read_transaction(call: Call) -> Thing:
    return call.core.get("balance_transaction", call.id)


def list_transactions(call: Call) -> Thing:
    return page(call, "balance_transaction", "type", "source", "currency")


def of(core: StripeCore, wanted: str) -> Thing:
    """The charge of that id, or the one that paid a payment intent of that id."""
    if wanted.startswith("pi_"):
        wanted = core.get("payment_intent", wanted, "payment_intent")["latest_charge"] or wanted
    return core.get("charge", wanted, "charge")


def new_secret(intent_id: str) -> str:
    return f"{intent_id}_secret_{new_id('')}"


OPERATIONS = [
    Operation("GET", "/v1/charges", list_all),
    Operation("GET", "/v1/charges/{id}", read),
    Operation("POST", "/v1/charges/{id}", update),
    Operation("GET", "/v1/balance_transactions", list_transactions),
    Operation("GET", "/v1/balance_transactions/{id}", read_transaction),
]
