"""Refunds."""

from genvid.sandbox.stripe import charge_resource
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.resources import readable, updatable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, check_status, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def create_refund(
    core: StripeCore,
    charge: Json,
    amount: int | None,
    *,
    status: str = "succeeded",
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Json:
    """Refunds a part, or all that is left. A pending refund counts as well."""
    amount = _allowed(charge, amount)
    refund = core.new(
        "refund",
        "re_3",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=metadata or {},
        payment_intent=charge["payment_intent"],
        reason=reason,
        status=status,
    )
    transaction = charge_resource.create_balance_transaction(core, "refund", -amount, refund)
    core.save(refund, balance_transaction=transaction["id"])
    core.emit("refund.created", refund)
    refunded = charge["amount_refunded"] + amount
    core.change(charge, "charge.refunded", amount_refunded=refunded, refunded=refunded == charge["amount"])
    return refund


def _allowed(charge: Json, amount: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or (not charge["captured"] and left):
        raise StripeError(f"Charge {charge['id']} has not been paid.", code="charge_not_refundable", param="charge")
    if left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(message, code="charge_already_refunded", param="charge")
    if amount is not None and amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount is not None and amount > left:
        money = f"${amount / 100:.2f}", f"${left / 100:.2f}"
        message = f"Refund amount ({money[0]}) is greater than unrefunded amount on charge ({money[1]})"
        raise StripeError(message, code="amount_too_large", param="amount")
    return left if amount is None else amount


def reverse_refund(core: StripeCore, refund: Json, status: str) -> Json:
    if refund["status"] in ("failed", "canceled"):
        raise StripeError(f"Refund {refund['id']} is {refund['status']} already.", param="refund")
    transaction = charge_resource.create_balance_transaction(core, "refund_failure", refund["amount"], refund)
    fields: Json = {"status": status, "failure_balance_transaction": transaction["id"]}
    if status == "failed":
        fields["failure_reason"] = "expired_or_canceled_card"
    core.change(refund, "refund.updated", **fields)
    charge = core.get("charge", refund["charge"])
    core.save(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    core.emit("charge.refund.updated", refund)
    if status == "failed":
        core.emit("refund.failed", refund)
    return refund


def complete_refund(core: StripeCore, refund: Json) -> Json:
    check_status(refund, "pending")
    return core.change(refund, "refund.updated", status="succeeded")


def create(call: Call) -> Json:
    form = call.form
    wanted = form.text("charge") or form.text("payment_intent")
    if wanted is None:
        raise missing_parameter("charge")
    charge, reason = charge_resource.find_charge(call.core, wanted), form.text("reason")
    intent = form.text("payment_intent")
    if intent is not None and charge["payment_intent"] != intent:
        raise StripeError("The charge is not one of this PaymentIntent.", param="payment_intent")
    _refuse_disputed(call.core, charge)
    return create_refund(call.core, charge, form.number("amount"), reason=reason, metadata=form.map("metadata"))


def _refuse_disputed(core: StripeCore, charge: Json) -> None:
    """After an inquiry or a won dispute there is still money to refund."""
    for dispute in core.objects.all("dispute", charge=charge["id"]):
        if not dispute["is_charge_refundable"] and dispute["status"] != "won":
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise StripeError(message, code="charge_disputed", param="charge")


def cancel(call: Call) -> Json:
    refund = call.core.get("refund", call.id)
    check_status(refund, "pending")
    return reverse_refund(call.core, refund, "canceled")


OPERATIONS = [
    *readable("/v1/refunds", "refund", "charge", "payment_intent"),
    Operation("POST", "/v1/refunds", create),
    updatable("/v1/refunds", "refund", "refund.updated"),
    Operation("POST", "/v1/refunds/{id}/cancel", cancel),
]
