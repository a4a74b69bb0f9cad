"""Customers."""

import re
from typing import Any

from genvid.sandbox.stripe import params
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.collection import end
from genvid.sandbox.stripe.core import StripeCore
from genvid.sandbox.stripe.declared import CUSTOMER
from genvid.sandbox.stripe.errors import StripeError
from genvid.sandbox.stripe.lists import page
from genvid.sandbox.stripe.methods import attach, from_token
from genvid.sandbox.stripe.object_store import Thing

BLANK_SETTINGS: Thing = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}


def make(core: StripeCore, **fields: Any) -> Thing:
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
        "invoice_settings": BLANK_SETTINGS,
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
    customer = core.new("customer", "cus_", **body)
    if customer["invoice_prefix"] is None:
        core.save(customer, invoice_prefix=customer["id"][-8:].upper())
    core.emit("customer.created", customer)
    return customer


def create(call: Call) -> Thing:
    form, core = call.form, call.core
    wanted = form.text("test_clock")
    fields: Thing = {**form.chosen("email"), **call.kept, "metadata": form.map("metadata"), "test_clock": wanted}
    fields["invoice_settings"] = _invoice_settings(call, BLANK_SETTINGS, None)
    _check(call)
    if wanted is None:
        return _settled(call, make(core, **fields))
    clock = core.alive("test_helpers.test_clock", wanted, "test_clock")
    with core.moment(clock["frozen_time"]):
        return _settled(call, make(core, **fields))


def _settled(call: Call, customer: Thing) -> Thing:
    """A payment method may come along."""
    core, wanted = call.core, call.form.text("payment_method")
    method = attach(core, wanted, customer["id"])["id"] if wanted else None
    if call.form.text("source"):
        core.save(customer, default_source=attach_source(call, customer))
    default = call.form.part("invoice_settings").text("default_payment_method")
    if default:
        chosen = method if default == wanted else attach(core, default, customer["id"])["id"]
        settings = {**customer["invoice_settings"], "default_payment_method": chosen}
        core.save(customer, invoice_settings=settings)
    return customer


def attach_source(call: Call, customer: Thing) -> str:
    """A test token's card, from then on what the customer pays with where nothing else was chosen."""
    made = from_token(call.core, call.form.need("source"), "source")
    return str(attach(call.core, made["id"], customer["id"])["id"])


def _invoice_settings(call: Call, before: Thing, method: str | None) -> Thing:
    """With what is given over what was."""
    given = params.read(call.form, "invoice_settings", CUSTOMER["invoice_settings"]) or {}
    asked = call.form.part("invoice_settings")
    chosen = {name: given[name] for name in ("custom_fields", "footer") if name in asked}
    return {**before, **chosen, "default_payment_method": method}


def _check(call: Call) -> None:
    email, prefix = call.form.text("email"), call.form.text("invoice_prefix")
    if email is not None and "@" not in email:
        raise StripeError(f"Invalid email address: {email}", code="email_invalid", param="email")
    if prefix is not None and not re.fullmatch("[A-Z0-9]{3,12}", prefix):
        raise StripeError("Invoice prefixes are 3 to 12 uppercase letters or numbers.", param="invoice_prefix")


def update(call: Call) -> Thing:
    form, customer = call.form, call.core.alive("customer", call.id)
    fields: Thing = {**form.chosen("email"), **call.kept}
    _check(call)
    if "metadata" in form:
        fields["metadata"] = form.map("metadata", customer["metadata"])
    if "invoice_settings" in form:
        asked, default = form.part("invoice_settings"), customer["invoice_settings"]["default_payment_method"]
        if "default_payment_method" in asked:
            wanted = asked.text("default_payment_method")
            default = attach(call.core, wanted, customer["id"])["id"] if wanted else None
        fields["invoice_settings"] = _invoice_settings(call, customer["invoice_settings"], default)
    if form.text("source"):
        fields["default_source"] = attach_source(call, customer)
    return call.core.change(customer, "customer.updated", **fields)


def delete(call: Call) -> Thing:
    """Its subscriptions end with it; it stays retrievable as deleted."""
    customer = call.core.alive("customer", call.id)
    for subscription in call.core.objects.all("subscription", customer=customer["id"]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end(call.core, subscription)
    call.core.emit("customer.deleted", customer)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    call.core.save(gone)
    return gone


def read(call: Call) -> Thing:
    return call.core.get("customer", call.id)


def list_all(call: Call) -> Thing:
    return page(call, "customer", "email", "test_clock")


OPERATIONS = [
    Operation("POST", "/v1/customers", create),
    Operation("GET", "/v1/customers", list_all),
    Operation("GET", "/v1/customers/{id}", read),
    Operation("POST", "/v1/customers/{id}", update),
    Operation("DELETE", "/v1/customers/{id}", delete),
]
