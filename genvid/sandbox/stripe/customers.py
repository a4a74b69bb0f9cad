"""Customers."""

from typing import Any

from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.collection import end
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.methods import attach

TEXTS = ("email", "name", "description", "phone")
CREATES = (
    "email name description phone metadata test_clock address payment_method invoice_settings preferred_locales "
    "shipping tax tax_exempt tax_id_data balance business_name individual_name source"
)


def make(bank: Bank, **fields: Any) -> Thing:
    body: Thing = {
        "address": None,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **fields,
    }
    customer = bank.new("customer", "cus_", **body)
    bank.save(customer, invoice_prefix=customer["id"][-8:].upper())
    bank.emit("customer.created", customer)
    return customer


def create(call: Call) -> Thing:
    form, bank = call.form, call.bank
    wanted = form.text("test_clock")
    fields: Thing = {**form.chosen(*TEXTS), "metadata": form.map("metadata"), "test_clock": wanted}
    fields |= {name: form.part(name).values for name in ("address", "shipping") if name in form}
    _check_email(form.text("email"))
    if wanted is None:
        return _settled(call, make(bank, **fields))
    clock = bank.alive("test_helpers.test_clock", wanted, "test_clock")
    with bank.moment(clock["frozen_time"]):
        return _settled(call, make(bank, **fields))


def _settled(call: Call, customer: Thing) -> Thing:
    """A payment method may come along."""
    bank, wanted = call.bank, call.form.text("payment_method")
    method = attach(bank, wanted, customer["id"])["id"] if wanted else None
    default = call.form.part("invoice_settings").text("default_payment_method")
    if default:
        chosen = method if default == wanted else attach(bank, default, customer["id"])["id"]
        settings = {**customer["invoice_settings"], "default_payment_method": chosen}
        bank.save(customer, invoice_settings=settings)
    return customer


def _check_email(email: str | None) -> None:
    if email is not None and "@" not in email:
        raise StripeError(f"Invalid email address: {email}", code="email_invalid", param="email")


def update(call: Call) -> Thing:
    form, customer = call.form, call.bank.alive("customer", call.id)
    fields: Thing = form.chosen(*TEXTS)
    _check_email(form.text("email"))
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", customer["metadata"])
    fields |= {name: form.part(name).values for name in ("address", "shipping") if name in form}
    if "balance" in form:
        fields["balance"] = form.need_number("balance")
    if "invoice_settings" in form:
        default = form.part("invoice_settings").text("default_payment_method")
        if default is not None:
            default = attach(call.bank, default, customer["id"])["id"]
        fields["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": default}
    return call.bank.change(customer, "customer.updated", **fields)


def delete(call: Call) -> Thing:
    """Its subscriptions end with it; it stays retrievable as deleted."""
    customer = call.bank.alive("customer", call.id)
    for subscription in call.bank.books.all("subscription", customer=customer["id"]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end(call.bank, subscription)
    call.bank.emit("customer.deleted", customer)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    call.bank.save(gone)
    return gone


def read(call: Call) -> Thing:
    return call.bank.get("customer", call.id)


def list_all(call: Call) -> Thing:
    return page(call, "customer", "email", "test_clock")


OPERATIONS = [
    Operation("POST", "/v1/customers", create, CREATES),
    Operation("GET", "/v1/customers", list_all),
    Operation("GET", "/v1/customers/{id}", read),
    Operation("POST", "/v1/customers/{id}", update),
    Operation("DELETE", "/v1/customers/{id}", delete),
]
