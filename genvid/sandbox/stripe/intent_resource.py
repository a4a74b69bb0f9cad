"""Payment intents and setup intents."""

from genvid.sandbox.stripe import (
    cards,
    charge_resource,
    currencies,
    invoice_collection,
    payment_attempts,
    payment_method_resource,
)
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.object_store import Json, public_fields
from genvid.sandbox.stripe.payment_attempts import Attempt
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, card_error, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation

SMALLEST, LARGEST = 50, 99_999_999


def create(call: Call) -> Json:
    form, core = call.form, call.core
    amount, currency = _amount(form), currencies.checked(form.need("currency"), "currency")
    customer = call.customer
    for name in ("off_session", "error_on_requires_action"):
        if name in form and not form.flag("confirm"):
            raise StripeError(f"You can only provide `{name}` when `confirm=true`.", param=name)
    fields: Json = {**call.kept, "metadata": form.map("metadata"), **_types(form)}
    _refuse_held_debit(fields)
    method = given_method(core, form, customer)
    if method is not None:
        _check_fits(fields, method)
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = payment_attempts.create_intent(core, amount, currency, customer, **fields)
    return confirmed(call, intent) if form.flag("confirm") else intent


def _amount(form: Form) -> int:
    amount = form.need_number("amount")
    if amount < SMALLEST:
        raise StripeError("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    if amount > LARGEST:
        raise StripeError("Amount must be no more than $999,999.99", code="amount_too_large", param="amount")
    return amount


def _types(form: Form) -> Json:
    given, part = form.texts("payment_method_types"), form.part("automatic_payment_methods")
    if given and part.flag("enabled"):
        message = "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        raise StripeError(message, param="payment_method_types")
    if given:
        return {"payment_method_types": given}
    if "automatic_payment_methods" in form and not part.flag("enabled"):
        return {"payment_method_types": ["card"]}
    chosen = {"allow_redirects": part.text("allow_redirects") or "always", "enabled": True}
    return {"automatic_payment_methods": chosen, "payment_method_types": list(cards.METHOD_TYPES)}


def _refuse_held_debit(fields: Json) -> None:
    if fields.get("capture_method") == "manual" and fields["payment_method_types"] == [cards.BANK_ACCOUNT]:
        message = "The capture_method `manual` is not supported by the payment method type us_bank_account."
        raise StripeError(message, param="capture_method")


def given_method(core: StripeCore, form: Form, customer: str | None) -> Json | None:
    if form.part("payment_method_data").values:
        return payment_method_resource.create_from_data(core, form.part("payment_method_data"), {})
    wanted = form.text("payment_method")
    return payment_method_resource.resolve_payment_method(core, wanted, customer) if wanted else None


def _check_fits(intent: Json, method: Json) -> None:
    held = intent.get("capture_method") == "manual" and method["type"] == cards.BANK_ACCOUNT
    if method["type"] not in intent["payment_method_types"] or held:
        allowed = ", ".join(intent["payment_method_types"])
        message = (
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. "
            f"Please attach a PaymentMethod of one of the following types: {allowed}."
        )
        raise StripeError(message, param="payment_method")


def confirm(call: Call) -> Json:
    return confirmed(call, call.core.save(call.core.get("payment_intent", call.id), **call.kept))


def confirmed(call: Call, intent: Json) -> Json:
    form, core = call.form, call.core
    if intent["status"] not in payment_attempts.PAYABLE:
        raise unexpected_state(intent, "confirm")
    method = _method(core, form, intent)
    there = not form.flag("off_session")
    _attempt(core, intent, Attempt(method, buyer_is_there=there, return_url=form.text("return_url")))
    if intent["status"] == "requires_action" and form.flag("error_on_requires_action"):
        payment_attempts.record_refusal(core, intent, method, cards.NEEDS_AUTHENTICATION)
    if intent["last_payment_error"]:
        raise payment_error(intent)
    _keep_method(core, intent, method)
    return intent


def _attempt(core: StripeCore, intent: Json, tried: Attempt) -> None:
    """Attempts to pay the intent. If it is an invoice's, the invoice is collected."""
    for payment in core.objects.all("invoice_payment", payment__payment_intent=intent["id"], status="open"):
        invoice_collection.collect_invoice(core, core.get("invoice", payment["invoice"]), tried=tried)
        intent.update(core.get("payment_intent", intent["id"]))
        return
    payment_attempts.attempt_payment(core, intent, tried)


def _method(core: StripeCore, form: Form, intent: Json) -> Json:
    given = None
    if "confirm" not in form:
        given = given_method(core, form, intent["customer"])
    if given is None and intent["payment_method"] is None:
        raise missing_parameter("payment_method")
    method = given or payment_method_resource.resolve_payment_method(core, intent["payment_method"], intent["customer"])
    _check_fits(intent, method)
    return method


def payment_error(intent: Json) -> StripeError:
    error = intent["last_payment_error"]
    return card_error(
        error["message"],
        error["code"],
        decline_code=error.get("decline_code"),
        charge=error.get("charge"),
        payment_intent=public_fields(intent),
        payment_method=error["payment_method"],
    )


def _keep_method(core: StripeCore, intent: Json, method: Json) -> None:
    if intent["setup_future_usage"] and intent["customer"]:
        payment_method_resource.attach_payment_method(core, method["id"], intent["customer"])


def cancel(call: Call) -> Json:
    intent = call.core.get("payment_intent", call.id)
    if intent["status"] not in (*payment_attempts.PAYABLE, "processing", "requires_capture"):
        raise unexpected_state(intent, "cancel")
    return payment_attempts.cancel_intent(call.core, intent, call.form.text("cancellation_reason"))


def unexpected_state(intent: Json, action: str) -> StripeError:
    message = f"You cannot {action} this PaymentIntent because it has a status of {intent['status']}."
    return StripeError(message, code="payment_intent_unexpected_state", payment_intent=public_fields(intent))


def update(call: Call) -> Json:
    form, core = call.form, call.core
    intent = core.get("payment_intent", call.id)
    if intent["status"] not in payment_attempts.PAYABLE and set(form.values) & {"amount", "currency", "payment_method"}:
        raise unexpected_state(intent, "update")
    fields = call.updates(intent)
    if "amount" in form:
        fields["amount"] = _amount(form)
    if "currency" in form:
        fields["currency"] = currencies.checked(form.need("currency"), "currency")
    if "customer" in form:
        fields["customer"] = core.get_existing("customer", form.need("customer"), "customer")["id"]
    if form.texts("payment_method_types"):
        fields |= {"payment_method_types": form.texts("payment_method_types"), "automatic_payment_methods": None}
    _refuse_held_debit({**intent, **fields})
    method = given_method(core, form, fields.get("customer", intent["customer"]))
    if method is not None:
        _check_fits({**intent, **fields}, method)
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return core.save(intent, **fields)


def create_setup(call: Call) -> Json:
    form, core, customer = call.form, call.core, call.customer
    fields: Json = {**call.kept, "metadata": form.map("metadata"), **_types(form)}
    wanted = form.text("payment_method")
    method = payment_method_resource.resolve_payment_method(core, wanted, customer) if wanted else None
    if method is not None:
        _check_fits(fields, method)
    if not form.flag("confirm"):
        status = "requires_confirmation" if method else "requires_payment_method"
        return payment_attempts.create_setup_intent(core, customer, method, status, **fields)
    if method is None:
        raise missing_parameter("payment_method")
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        raise refusal.error
    if customer is not None:
        payment_method_resource.attach_payment_method(core, method["id"], customer)
    return payment_attempts.create_setup_intent(core, customer, method, "succeeded", **fields)


def capture(call: Call) -> Json:
    form, core = call.form, call.core
    intent = core.get("payment_intent", call.id)
    if intent["status"] != "requires_capture":
        raise unexpected_state(intent, "capture")
    left = intent["amount_capturable"]
    amount = form.count("amount_to_capture", left)
    if amount > left:
        message = f"The amount to capture is greater than what can be captured: {left}."
        raise StripeError(message, code="amount_too_large", param="amount_to_capture")
    if not form.flag("final_capture", True):
        raise StripeError("This PaymentIntent cannot be captured more than once.", param="final_capture")
    core.save(intent, **call.updates(intent))
    charge = core.get("charge", intent["latest_charge"])
    released = charge["amount"] - amount
    core.save(charge, captured=True, amount_captured=amount, amount_refunded=released)
    core.emit("charge.captured", charge)
    core.save(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    core.emit("payment_intent.succeeded", intent)
    charge_resource.settle_charge(core, charge)
    for session in core.objects.all("checkout.session", payment_intent=intent["id"]):
        core.save(session, payment_status="paid")
    return intent


OPERATIONS = [
    *readable("/v1/payment_intents", "payment_intent", "customer"),
    Operation("POST", "/v1/payment_intents", create),
    Operation("POST", "/v1/payment_intents/{id}", update),
    Operation("POST", "/v1/payment_intents/{id}/confirm", confirm),
    Operation("POST", "/v1/payment_intents/{id}/capture", capture),
    Operation("POST", "/v1/payment_intents/{id}/cancel", cancel),
    *readable("/v1/setup_intents", "setup_intent", "customer", "payment_method"),
    Operation("POST", "/v1/setup_intents", create_setup),
]
