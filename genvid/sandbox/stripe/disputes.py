"""Disputes and early fraud warnings."""

from genvid.sandbox.stripe import charges
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.object_store import Thing

FEE = 1500
ANSWER_WITHIN = 7 * 24 * 3600
CLOSED = ("won", "lost", "warning_closed")


def open_dispute(core: StripeCore, charge: Thing, amount: int | None, reason: str, *, warning: bool = False) -> Thing:
    """A claim takes the money away until it is won; a warning (an inquiry) does not."""
    if charge["status"] != "succeeded":
        raise StripeError(f"Charge {charge['id']} has not been paid.", param="charge")
    due = core.now(charge["customer"]) + ANSWER_WITHIN
    dispute = core.new(
        "dispute",
        "du_1",
        amount=charge["amount"] if amount is None else amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={},
        evidence_details={"due_by": due, "has_evidence": False, "past_due": False, "submission_count": 0},
        is_charge_refundable=warning,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details=_details(charge),
        reason=reason,
        status="warning_needs_response" if warning else "needs_response",
        _customer=charge["customer"],
    )
    core.save(charge, disputed=True)
    core.emit("charge.dispute.created", dispute)
    if not warning:
        _book(core, dispute, -dispute["amount"], FEE)
        core.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _details(charge: Thing) -> Thing:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    return {"type": "card", "card": {"brand": brand, "case_type": "chargeback", "network_reason_code": "83"}}


def _book(core: StripeCore, dispute: Thing, amount: int, fee: int) -> None:
    transaction = charges.book(core, "adjustment", amount, dispute, fee=fee)
    told = {name: value for name, value in transaction.items() if not name.startswith("_")}
    core.save(dispute, balance_transactions=[*dispute["balance_transactions"], told])


def close_dispute(core: StripeCore, dispute: Thing, status: str) -> Thing:
    """The bank's last word; won money comes back."""
    if dispute["status"] in CLOSED:
        raise StripeError("This dispute is already closed", code="dispute_already_closed", param="dispute")
    if dispute["status"].startswith("warning"):
        status = "warning_closed"
    before = {"status": dispute["status"]}
    core.save(dispute, status=status)
    if status == "won":
        _book(core, dispute, dispute["amount"], 0)
        core.emit("charge.dispute.funds_reinstated", dispute)
    core.emit("charge.dispute.closed", dispute, before)
    return dispute


def warn(core: StripeCore, charge: Thing) -> Thing:
    warning = core.new(
        "radar.early_fraud_warning",
        "issfr_1",
        actionable=True,
        charge=charge["id"],
        fraud_type="made_with_stolen_card",
        payment_intent=charge["payment_intent"],
        _customer=charge["customer"],
    )
    core.emit("radar.early_fraud_warning.created", warning)
    return warning


def read(call: Call) -> Thing:
    return call.core.get("dispute", call.id)


def update(call: Call) -> Thing:
    form, dispute = call.form, call.core.get("dispute", call.id)
    fields: Thing = {}
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", dispute["metadata"])
    if "evidence" in form:
        fields["evidence"] = {**dispute["evidence"], **form.part("evidence").values}
        details, submits = dispute["evidence_details"], form.flag("submit", True)
        count = details["submission_count"] + submits
        fields["evidence_details"] = {**details, "has_evidence": True, "submission_count": count}
        if submits:
            fields["status"] = dispute["status"].replace("needs_response", "under_review")
    return call.core.change(dispute, "charge.dispute.updated", **fields)


def accept(call: Call) -> Thing:
    return close_dispute(call.core, call.core.get("dispute", call.id), "lost")


def list_all(call: Call) -> Thing:
    return page(call, "dispute", "charge", "payment_intent")


def read_warning(call: Call) -> Thing:
    return call.core.get("radar.early_fraud_warning", call.id)


def list_warnings(call: Call) -> Thing:
    return page(call, "radar.early_fraud_warning", "charge", "payment_intent")


OPERATIONS = [
    Operation("GET", "/v1/disputes", list_all),
    Operation("GET", "/v1/disputes/{id}", read),
    Operation("POST", "/v1/disputes/{id}", update),
    Operation("POST", "/v1/disputes/{id}/close", accept),
    Operation("GET", "/v1/radar/early_fraud_warnings", list_warnings),
    Operation("GET", "/v1/radar/early_fraud_warnings/{id}", read_warning),
]
