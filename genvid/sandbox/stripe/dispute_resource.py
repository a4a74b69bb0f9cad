"""Disputes and early fraud warnings."""

from genvid.sandbox.stripe import charge_resource
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError
from genvid.sandbox.stripe.stripe_operations import Call, Operation

FEE = 1500
ANSWER_WITHIN = 7 * 24 * 3600
CLOSED = ("won", "lost", "warning_closed")


def open_dispute(core: StripeCore, charge: Json, amount: int | None, reason: str, *, warning: bool = False) -> Json:
    """A dispute withdraws the money until it is won; an inquiry (`warning`) does not."""
    if charge["status"] != "succeeded":
        raise StripeError(f"Charge {charge['id']} has not been paid.", param="charge")
    due = core.now() + ANSWER_WITHIN
    dispute = core.new(
        "dispute",
        "du_1",
        amount=charge["amount"] if amount is None else amount,
        charge=charge["id"],
        currency=charge["currency"],
        evidence_details={"due_by": due, "has_evidence": False, "past_due": False, "submission_count": 0},
        is_charge_refundable=warning,
        payment_intent=charge["payment_intent"],
        payment_method_details=_details(charge),
        reason=reason,
        status="warning_needs_response" if warning else "needs_response",
    )
    core.save(charge, disputed=True)
    core.emit("charge.dispute.created", dispute)
    if not warning:
        _move_money(core, dispute, -dispute["amount"], FEE)
        core.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _details(charge: Json) -> Json:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    return {"type": "card", "card": {"brand": brand, "case_type": "chargeback", "network_reason_code": "83"}}


def _move_money(core: StripeCore, dispute: Json, amount: int, fee: int) -> None:
    transaction = charge_resource.create_balance_transaction(core, "adjustment", amount, dispute, fee=fee)
    core.save(dispute, balance_transactions=[*dispute["balance_transactions"], transaction])


def close_dispute(core: StripeCore, dispute: Json, status: str) -> Json:
    if dispute["status"] in CLOSED:
        raise StripeError("This dispute is already closed", code="dispute_already_closed", param="dispute")
    if dispute["status"].startswith("warning"):
        status = "warning_closed"
    before = {"status": dispute["status"]}
    core.save(dispute, status=status)
    if status == "won":
        _move_money(core, dispute, dispute["amount"], 0)
        core.emit("charge.dispute.funds_reinstated", dispute)
    core.emit("charge.dispute.closed", dispute, before)
    return dispute


def create_fraud_warning(core: StripeCore, charge: Json) -> Json:
    warning = core.new(
        "radar.early_fraud_warning",
        "issfr_1",
        actionable=True,
        charge=charge["id"],
        fraud_type="made_with_stolen_card",
        payment_intent=charge["payment_intent"],
    )
    core.emit("radar.early_fraud_warning.created", warning)
    return warning


def update(call: Call) -> Json:
    form, dispute = call.form, call.core.get("dispute", call.id)
    fields = call.updates(dispute)
    if "evidence" in form:
        fields["evidence"] = {**dispute["evidence"], **form.part("evidence").values}
        details, submits = dispute["evidence_details"], form.flag("submit", True)
        count = details["submission_count"] + submits
        fields["evidence_details"] = {**details, "has_evidence": True, "submission_count": count}
        if submits:
            fields["status"] = dispute["status"].replace("needs_response", "under_review")
    return call.core.change(dispute, "charge.dispute.updated", **fields)


def accept(call: Call) -> Json:
    return close_dispute(call.core, call.core.get("dispute", call.id), "lost")


OPERATIONS = [
    *readable("/v1/disputes", "dispute", "charge", "payment_intent"),
    Operation("POST", "/v1/disputes/{id}", update),
    Operation("POST", "/v1/disputes/{id}/close", accept),
    *readable("/v1/radar/early_fraud_warnings", "radar.early_fraud_warning", "charge", "payment_intent"),
]
