"""The API of payment intents and setup intents."""

from genvid.sandbox.stripe import cards, methods, payments
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, shown
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError, missing
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.payments import Attempt

TAKES = (
    "amount currency customer payment_method off_session confirm metadata description receipt_email return_url "
    "setup_future_usage payment_method_types automatic_payment_methods confirmation_method capture_method "
    "statement_descriptor statement_descriptor_suffix shipping error_on_requires_action use_stripe_sdk "
    "payment_method_data payment_method_options mandate_data transfer_group application_fee_amount"
)
SMALLEST, LARGEST = 50, 99_999_999


def create(call: Call) -> Thing:
    form, bank = call.form, call.bank
    amount, currency = form.need_number("amount"), form.need("currency").lower()
    customer = form.text("customer")
    if customer is not None:
        bank.alive("customer", customer, "customer")
    if amount < SMALLEST:
        raise StripeError("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    if amount > LARGEST:
        raise StripeError("Amount must be no more than $999,999.99", code="amount_too_large", param="amount")
    if "off_session" in form and not form.flag("confirm"):
        raise StripeError("You can only provide `off_session` when `confirm=true`.", param="off_session")
    fields: Thing = form.chosen("description", "receipt_email", "setup_future_usage")
    fields["metadata"] = form.map("metadata")
    fields["payment_method_types"] = form.texts("payment_method_types") or ["card"]
    if form.part("automatic_payment_methods").flag("enabled"):
        fields["automatic_payment_methods"] = {"allow_redirects": "always", "enabled": True}
    if form.text("payment_method"):
        method = methods.resolve(bank, form.need("payment_method"), customer)
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = payments.make_intent(bank, amount, currency, customer, **fields)
    return confirmed(call, intent) if form.flag("confirm") else intent


def confirm(call: Call) -> Thing:
    return confirmed(call, call.bank.get("payment_intent", call.id))


def confirmed(call: Call, intent: Thing) -> Thing:
    """Tries it, and answers a refusal as a card error that carries the intent."""
    form, bank = call.form, call.bank
    if intent["status"] not in payments.PAYABLE:
        raise _unexpected(intent, "confirm")
    wanted = form.text("payment_method") or intent["payment_method"]
    if wanted is None:
        raise missing("payment_method")
    method = methods.resolve(bank, wanted, intent["customer"])
    there = form.text("off_session") in (None, "false")
    payments.attempt(bank, intent, Attempt(method, buyer_is_there=there, return_url=form.text("return_url")))
    if intent["last_payment_error"]:
        raise card_error(intent)
    _keep_method(bank, intent, method)
    return intent


def card_error(intent: Thing) -> StripeError:
    error = intent["last_payment_error"]
    return StripeError(
        error["message"],
        status=402,
        type="card_error",
        code=error["code"],
        decline_code=error.get("decline_code"),
        charge=error.get("charge"),
        payment_intent=shown(intent),
        payment_method=error["payment_method"],
    )


def _keep_method(bank: Bank, intent: Thing, method: Thing) -> None:
    if intent["setup_future_usage"] and intent["customer"]:
        methods.attach(bank, method["id"], intent["customer"])


def cancel(call: Call) -> Thing:
    intent = call.bank.get("payment_intent", call.id)
    if intent["status"] not in (*payments.PAYABLE, "processing", "requires_capture"):
        raise _unexpected(intent, "cancel")
    return payments.cancel(call.bank, intent, call.form.text("cancellation_reason"))


def _unexpected(intent: Thing, deed: str) -> StripeError:
    message = f"You cannot {deed} this PaymentIntent because it has a status of {intent['status']}."
    return StripeError(message, code="payment_intent_unexpected_state", payment_intent=shown(intent))


def update(call: Call) -> Thing:
    form, intent = call.form, call.bank.get("payment_intent", call.id)
    fields: Thing = form.chosen("description", "receipt_email", "setup_future_usage")
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", intent["metadata"])
    return call.bank.save(intent, **fields)


def read(call: Call) -> Thing:
    return call.bank.get("payment_intent", call.id)


def list_all(call: Call) -> Thing:
    return page(call, "payment_intent", "customer")


def create_setup(call: Call) -> Thing:
    """A card that is saved without a payment."""
    form, bank, customer = call.form, call.bank, call.form.text("customer")
    wanted = form.text("payment_method")
    method = methods.resolve(bank, wanted, customer) if wanted else None
    if not form.flag("confirm"):
        status = "requires_confirmation" if method else "requires_payment_method"
        return payments.make_setup(bank, customer, method, status, metadata=form.map("metadata"))
    if method is None:
        raise missing("payment_method")
    refusal = cards.setup_refusal(method["_number"])
    if refusal is not None:
        raise StripeError(
            refusal.message, status=402, type="card_error", code=refusal.code, decline_code=refusal.decline_code
        )
    if customer is not None:
        methods.attach(bank, method["id"], customer)
    return payments.make_setup(bank, customer, method, "succeeded", metadata=form.map("metadata"))


def read_setup(call: Call) -> Thing:
    return call.bank.get("setup_intent", call.id)


def list_setups(call: Call) -> Thing:
    return page(call, "setup_intent", "customer", "payment_method")


OPERATIONS = [
    Operation("POST", "/v1/payment_intents", create, TAKES),
    Operation("GET", "/v1/payment_intents", list_all),
    Operation("GET", "/v1/payment_intents/{id}", read),
    Operation("POST", "/v1/payment_intents/{id}", update),
    Operation("POST", "/v1/payment_intents/{id}/confirm", confirm),
    Operation("POST", "/v1/payment_intents/{id}/cancel", cancel),
    Operation("POST", "/v1/setup_intents", create_setup),
    Operation("GET", "/v1/setup_intents", list_setups),
    Operation("GET", "/v1/setup_intents/{id}", read_setup),
]
