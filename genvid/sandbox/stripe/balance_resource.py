"""Customer balances and their transactions: https://docs.stripe.com/billing/customer/balance."""

from genvid.sandbox.stripe.list_pages import page
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, no_such
from genvid.sandbox.stripe.stripe_operations import Call, Operation

PATH = "/v1/customers/{id}/balance_transactions"
KIND = "customer_balance_transaction"


def add_transaction(core: StripeCore, customer: Json, amount: int, kind: str, **extra: object) -> Json:
    """A positive amount is what the customer owes, a negative one is credit."""
    if amount:
        core.change(customer, "customer.updated", balance=customer["balance"] + amount)
    fields = {"amount": amount, "customer": customer["id"], "ending_balance": customer["balance"], "type": kind}
    return core.new(KIND, "cbtxn_1", **fields, **extra)


def apply_balance(core: StripeCore, invoice: Json, customer: Json, balance: int) -> None:
    if balance != customer["balance"]:
        moved = balance - customer["balance"]
        add_transaction(
            core, customer, moved, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )


def restore_balance(core: StripeCore, invoice: Json) -> None:
    used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if used:
        customer = core.get("customer", invoice["customer"])
        add_transaction(
            core, customer, -used, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )


def create(call: Call) -> Json:
    form, customer = call.form, call.core.get_existing("customer", call.id)
    amount, currency = form.need_number("amount"), form.need("currency")
    if customer["currency"] and customer["currency"] != currency:
        raise StripeError("The currency is not the customer's.", param="currency")
    extra = {"currency": currency, "description": form.text("description"), "metadata": form.map("metadata")}
    return add_transaction(call.core, customer, amount, "adjustment", **extra)


def list_all(call: Call) -> Json:
    customer = call.core.get_existing("customer", call.id)
    return page(call, KIND, where=(("customer", "=", customer["id"]),))


def read(call: Call) -> Json:
    found = call.core.get(KIND, call.path["transaction"])
    if found["customer"] != call.id:
        raise no_such(KIND, found["id"])
    return found


OPERATIONS = [
    Operation("GET", PATH, list_all),
    Operation("POST", PATH, create),
    Operation("GET", PATH + "/{transaction}", read),
]
