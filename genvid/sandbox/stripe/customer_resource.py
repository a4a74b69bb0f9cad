"""Customers."""

import re
from typing import Any

from genvid.sandbox.stripe import parameters
from genvid.sandbox.stripe.defaults import defaults
from genvid.sandbox.stripe.invoice_collection import end_subscription
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.payment_method_resource import attach_payment_method, create_from_token
from genvid.sandbox.stripe.payment_parameters import CUSTOMER
from genvid.sandbox.stripe.resources import readable
from genvid.sandbox.stripe.stripe_core import TEST_CLOCK, StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError
from genvid.sandbox.stripe.stripe_operations import Call, Operation

SETTINGS: Json = defaults("customer")["invoice_settings"]


def create_customer(core: StripeCore, **fields: Any) -> Json:
    customer = core.new("customer", "cus_", **fields)
    if customer["invoice_prefix"] is None:
        core.save(customer, invoice_prefix=customer["id"][-8:].upper())
    core.emit("customer.created", customer)
    return customer


def create(call: Call) -> Json:
    _check(call)
    if call.form.text("test_clock"):
        call.core.get_existing(TEST_CLOCK, call.form.need("test_clock"), "test_clock")
    fields = {**call.kept, "metadata": call.form.map("metadata")}
    customer = create_customer(call.core, **fields, invoice_settings=_invoice_settings(call, SETTINGS, None))
    return _with_payment_methods(call, customer)


def _with_payment_methods(call: Call, customer: Json) -> Json:
    core, wanted = call.core, call.form.text("payment_method")
    method = attach_payment_method(core, wanted, customer["id"])["id"] if wanted else None
    if call.form.text("source"):
        core.save(customer, default_source=attach_source(call, customer))
    default = call.form.part("invoice_settings").text("default_payment_method")
    if default:
        chosen = method if default == wanted else attach_payment_method(core, default, customer["id"])["id"]
        settings = {**customer["invoice_settings"], "default_payment_method": chosen}
        core.save(customer, invoice_settings=settings)
    return customer


def attach_source(call: Call, customer: Json) -> str:
    made = create_from_token(call.core, call.form.need("source"), "source")
    return str(attach_payment_method(call.core, made["id"], customer["id"])["id"])


def _invoice_settings(call: Call, before: Json, method: str | None) -> Json:
    given = parameters.read(call.form, "invoice_settings", CUSTOMER["invoice_settings"]) or {}
    settings_form = call.form.part("invoice_settings")
    chosen = {name: given[name] for name in ("custom_fields", "footer") if name in settings_form}
    return {**before, **chosen, "default_payment_method": method}


def _check(call: Call) -> None:
    email, prefix = call.form.text("email"), call.form.text("invoice_prefix")
    if email is not None and "@" not in email:
        raise StripeError(f"Invalid email address: {email}", code="email_invalid", param="email")
    if prefix is not None and not re.fullmatch("[A-Z0-9]{3,12}", prefix):
        raise StripeError("Invoice prefixes are 3 to 12 uppercase letters or numbers.", param="invoice_prefix")


def update(call: Call) -> Json:
    form, customer = call.form, call.core.get_existing("customer", call.id)
    fields = call.updates(customer)
    _check(call)
    if "invoice_settings" in form:
        settings_form, default = form.part("invoice_settings"), customer["invoice_settings"]["default_payment_method"]
        if "default_payment_method" in settings_form:
            wanted = settings_form.text("default_payment_method")
            default = attach_payment_method(call.core, wanted, customer["id"])["id"] if wanted else None
        fields["invoice_settings"] = _invoice_settings(call, customer["invoice_settings"], default)
    if form.text("source"):
        fields["default_source"] = attach_source(call, customer)
    return call.core.change(customer, "customer.updated", **fields)


def delete(call: Call) -> Json:
    customer = call.core.get_existing("customer", call.id)
    for subscription in call.core.objects.all("subscription", customer=customer["id"]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end_subscription(call.core, subscription)
    return call.core.delete(customer, "customer.deleted")


OPERATIONS = [
    *readable("/v1/customers", "customer", "email", "test_clock"),
    Operation("POST", "/v1/customers", create),
    Operation("POST", "/v1/customers/{id}", update),
    Operation("DELETE", "/v1/customers/{id}", delete),
]
