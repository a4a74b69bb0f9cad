"""The API of invoices and of their payments."""

from genvid.sandbox.stripe import collection, invoices, methods
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.intents import card_error
from genvid.sandbox.stripe.lists import Condition, cut, page
from genvid.sandbox.stripe.payments import Attempt

SUBSCRIPTION = "parent.subscription_details.subscription"


def read(call: Call) -> Thing:
    return call.bank.get("invoice", call.id)


def list_all(call: Call) -> Thing:
    subscription = call.form.text("subscription")
    where: tuple[Condition, ...] = ((SUBSCRIPTION, "=", subscription),) if subscription else ()
    return page(call, "invoice", "customer", "status", "collection_method", where=where)


def list_lines(call: Call) -> Thing:
    return cut(call, call.bank.get("invoice", call.id)["lines"]["data"])


def pay(call: Call) -> Thing:
    """A card that is refused is a card error; the invoice counts the attempt all the same."""
    bank, invoice = call.bank, _open(call, "paid")
    wanted = call.form.text("payment_method")
    tried = None
    if wanted:
        method = methods.attach(bank, wanted, invoice["customer"])
        tried = Attempt(method, buyer_is_there=call.form.text("off_session") == "false")
    elif collection.method_for(bank, invoice) is None:
        raise StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice.", code="resource_missing"
        )
    collection.collect(bank, invoice, tried=tried)
    if invoice["status"] != "paid" and invoices.intent_of(bank, invoice)["last_payment_error"]:
        raise card_error(invoices.intent_of(bank, invoice))
    return invoice


def _open(call: Call, deed: str) -> Thing:
    invoice = call.bank.get("invoice", call.id)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] != "open":
        raise StripeError(
            f"This invoice is {invoice['status']} and can no longer be {deed}.", code="invoice_not_editable"
        )
    return invoice


def void(call: Call) -> Thing:
    return invoices.void(call.bank, _open(call, "voided"))


def read_payment(call: Call) -> Thing:
    return call.bank.get("invoice_payment", call.id)


def list_payments(call: Call) -> Thing:
    """By invoice, or by the payment intent or charge that paid."""
    payment, where = call.form.part("payment"), list[Condition]()
    for kind in ("payment_intent", "charge"):
        if payment.text(kind):
            where.append((f"payment.{kind}", "=", payment.text(kind)))
    return page(call, "invoice_payment", "invoice", "status", where=tuple(where))


OPERATIONS = [
    Operation("GET", "/v1/invoices", list_all),
    Operation("GET", "/v1/invoices/{id}", read),
    Operation("GET", "/v1/invoices/{id}/lines", list_lines),
    Operation("POST", "/v1/invoices/{id}/pay", pay),
    Operation("POST", "/v1/invoices/{id}/void", void),
    Operation("GET", "/v1/invoice_payments", list_payments),
    Operation("GET", "/v1/invoice_payments/{id}", read_payment),
]
