"""Capturing money that was only held: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method."""

from genvid.sandbox.stripe import charges
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.intents import unexpected
from genvid.sandbox.stripe.object_store import Thing


def capture(call: Call) -> Thing:
    """All of it, or a part: then the rest is let go, unless this is not the final capture."""
    form, core = call.form, call.core
    intent = core.get("payment_intent", call.id)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture")
    left = intent["amount_capturable"]
    amount = form.count("amount_to_capture", left)
    if amount > left:
        message = f"The amount to capture is greater than what can be captured: {left}."
        raise StripeError(message, code="amount_too_large", param="amount_to_capture")
    if not form.flag("final_capture", True):
        raise StripeError("This PaymentIntent cannot be captured more than once.", param="final_capture")
    fields: Thing = {**call.kept}
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", intent["metadata"])
    core.save(intent, **fields)
    return capture_held(core, intent, amount)


def capture_held(core: StripeCore, intent: Thing, amount: int) -> Thing:
    charge = core.get("charge", intent["latest_charge"])
    released = charge["amount"] - amount
    core.save(charge, captured=True, amount_captured=amount, amount_refunded=released)
    core.emit("charge.captured", charge)
    core.save(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    core.emit("payment_intent.succeeded", intent)
    charges.settle(core, charge)
    for session in core.objects.all("checkout.session", payment_intent=intent["id"]):
        core.save(session, payment_status="paid")
    return intent


OPERATIONS = [Operation("POST", "/v1/payment_intents/{id}/capture", capture)]
