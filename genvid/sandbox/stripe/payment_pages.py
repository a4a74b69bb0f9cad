"""What Stripe's own pay page calls, which its command line calls too: `stripe trigger checkout.session.completed`."""

from genvid.sandbox.stripe import checkout, methods
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.intents import card_error
from genvid.sandbox.stripe.object_store import Thing


def read(call: Call) -> Thing:
    return call.core.get("checkout.session", call.id)


def confirm(call: Call) -> Thing:
    core, session = call.core, call.core.get("checkout.session", call.id)
    if session["status"] != "open":
        raise StripeError(f"This Checkout Session is {session['status']}.", param="id")
    expected = call.form.number("expected_amount", session["amount_total"])
    if expected != session["amount_total"]:
        raise StripeError("The expected amount is not the session's.", param="expected_amount")
    method = methods.resolve(core, call.form.need("payment_method"), session["customer"])
    session = checkout.confirm(core, session, method)
    intent = checkout.intent_of(core, session)
    if intent is not None and intent["last_payment_error"]:
        raise card_error(intent)
    return session


OPERATIONS = [
    Operation("GET", "/v1/payment_pages/{id}", read),
    Operation("POST", "/v1/payment_pages/{id}/confirm", confirm),
]
