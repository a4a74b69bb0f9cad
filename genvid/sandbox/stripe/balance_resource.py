"""A customer's balance, and what moved it (https://docs.stripe.com/billing/customer/balance)."""

from genvid.sandbox.stripe.list_pages import page
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, no_such
from genvid.sandbox.stripe.stripe_operations import Call, Operation

PATH = "/v1/customers/{id}/balance_transactions"
KIND = "customer_balance_transaction"


def move(core: StripeCore, customer: Thing, amount: int, kind: str, **beside: object) -> Thing:
    """A positive amount is owed by the customer, a negative one is theirs."""
    if amount:
        core.change(customer, "customer.updated", balance=customer["balance"] + amount)
    fields = {"amount": amount, "customer": customer["id"], "ending_balance": customer["balance"], "type": kind}
    return core.new(KIND, "cbtxn_1", **fields, **beside)


def apply(core: StripeCore, invoice: Thing, customer: Thing, balance: int) -> None:
    """The invoice uses what there is, or leaves more than there was."""
    if balance != customer["balance"]:
        moved = balance - customer["balance"]
        move(core, customer, moved, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"])


def restore(core: StripeCore, invoice: Thing) -> None:
    """An invoice that is not to be paid after all gives back what it had used."""
    used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if used:
        customer = core.get("customer", invoice["customer"])
        move(core, customer, -used, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"])


def create(call: Call) -> Thing:
    form, customer = call.form, call.core.get_existing("customer", call.id)
    amount, currency = form.need_number("amount"), form.need("currency")
    if customer["currency"] and customer["currency"] != currency:
        raise StripeError("The currency is not the customer's.", param="currency")
    beside = {"currency": currency, "description": form.text("description"), "metadata": form.map("metadata")}
    return move(call.core, customer, amount, "adjustment", **beside)


def list_all(call: Call) -> Thing:
    customer = call.core.get_existing("customer", call.id)
    return page(call, KIND, where=(("customer", "=", customer["id"]),))


def read(call: Call) -> Thing:
    found = call.core.get(KIND, call.path["transaction"])
    if found["customer"] != call.id:
        raise no_such(KIND, found["id"])
    return found


OPERATIONS = [
    Operation("GET", PATH, list_all),
    Operation("POST", PATH, create),
    Operation("GET", PATH + "/{transaction}", read),
]
