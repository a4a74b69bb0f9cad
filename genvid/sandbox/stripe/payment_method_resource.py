"""Payment methods: cards and bank accounts, attached to customers or not."""

import hashlib
from typing import Any

from genvid.sandbox.stripe import cards
from genvid.sandbox.stripe.defaults import ADDRESS
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import page
from genvid.sandbox.stripe.object_store import Json
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, card_error, no_such
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def create_card(core: StripeCore, number: str, *, extra: Json | None = None, **bills: Any) -> Json:
    number = cards.digits(number)
    card = {
        "brand": cards.brand_of(number),
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": cards.brand_of(number),
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": _fingerprint(number),
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [cards.brand_of(number)], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
        **(extra or {}),
    }
    return _create(core, "card", card, number, bills)


def create_bank_account(core: StripeCore, number: str, *, extra: Json | None = None, **bills: Any) -> Json:
    account = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": _fingerprint(number),
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
        **(extra or {}),
    }
    return _create(core, cards.BANK_ACCOUNT, account, number, bills)


def _create(core: StripeCore, kind: str, details: Json, number: str, bills: Json) -> Json:
    billing = {"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None, **bills}
    fields = {"type": kind, kind: details, "_number": number}
    return core.new("payment_method", "pm_1", billing_details=billing, customer=None, **fields)


def _fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def resolve_payment_method(core: StripeCore, wanted: str, customer: str | None = None) -> Json:
    """The payment method of this id. A test name such as `pm_card_visa` makes a new one."""
    if wanted in cards.TEST_METHODS:
        return create_card(core, cards.TEST_METHODS[wanted])
    if wanted in cards.TEST_ACCOUNTS:
        return create_bank_account(core, cards.TEST_ACCOUNTS[wanted])
    method = core.get("payment_method", wanted, "payment_method")
    if method["customer"] not in (None, customer):
        message = "The provided PaymentMethod belongs to another customer."
        raise StripeError(message, code="payment_method_customer_mismatch", param="payment_method")
    return method


def attach_payment_method(core: StripeCore, wanted: str, customer: str) -> Json:
    method = resolve_payment_method(core, wanted, customer)
    if method["customer"] != customer:
        core.save(method, customer=customer)
        core.emit("payment_method.attached", method)
    return method


def attach(call: Call) -> Json:
    customer = call.core.get_existing("customer", call.form.need("customer"), "customer")
    if cards.behaviour_of({"_number": cards.TEST_METHODS.get(call.id, "")}) in ("decline", "insufficient_funds"):
        raise cards.DECLINED.error
    return attach_payment_method(call.core, call.id, customer["id"])


def detach(call: Call) -> Json:
    method = call.core.get("payment_method", call.id)
    if method["customer"] is None:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    _unset_default(call.core, method)
    before = {"customer": method["customer"]}
    call.core.save(method, customer=None)
    call.core.emit("payment_method.detached", method, before)
    return method


def _unset_default(core: StripeCore, method: Json) -> None:
    customer = core.get("customer", method["customer"])
    settings = customer.get("invoice_settings") or {}
    if settings.get("default_payment_method") == method["id"]:
        settings = {**settings, "default_payment_method": None}
        core.change(customer, "customer.updated", invoice_settings=settings)
    if customer.get("default_source") == method["id"]:
        core.change(customer, "customer.updated", default_source=None)
    for subscription in core.objects.all("subscription", default_payment_method=method["id"]):
        core.change(subscription, "customer.subscription.updated", default_payment_method=None)


def create(call: Call) -> Json:
    return create_from_data(call.core, call.form, call.kept)


def create_from_data(core: StripeCore, form: Form, kept: Json) -> Json:
    form.need("type")
    details = form.part("billing_details")
    bills: Json = details.chosen("email", "name", "phone")
    if "address" in details:
        bills["address"] = {**ADDRESS, **details.part("address").chosen(*ADDRESS)}
    make = _account if form.text("type") == cards.BANK_ACCOUNT else _card
    method = make(core, form, bills)
    return core.save(method, metadata=form.map("metadata"), **kept)


def _card(core: StripeCore, form: Form, bills: Json) -> Json:
    part = form.part("card")
    if part.text("token"):
        return create_from_token(core, part.need("token"), part.name("token"), **bills)
    number = cards.digits(part.text("number") or cards.PAYS)
    if number not in cards.CARDS:
        wrong = cards.UNKNOWN if cards.is_card_number(number) else "Your card number is incorrect."
        raise card_error(wrong, "incorrect_number", param="card[number]")
    expiry = {name: part.number(name) for name in ("exp_month", "exp_year") if name in part}
    return create_card(core, number, extra=expiry, **bills)


def _account(core: StripeCore, form: Form, bills: Json) -> Json:
    part = form.part(cards.BANK_ACCOUNT)
    number = part.text("account_number") or cards.GOOD_ACCOUNT
    if number not in cards.ACCOUNTS:
        raise StripeError("You must use a test bank account number.", param="us_bank_account[account_number]")
    extra = part.chosen("account_holder_type", "account_type", "routing_number")
    return create_bank_account(core, number, extra=extra, **bills)


def create_from_token(core: StripeCore, token: str, param: str, **bills: Any) -> Json:
    number = cards.TEST_METHODS.get(token.replace("tok_", "pm_card_", 1))
    if number is None:
        raise no_such("token", token, param, 400)
    return create_card(core, number, **bills)


def read(call: Call) -> Json:
    method = call.core.objects.find(call.id)
    if method is None and call.id in cards.TEST_METHODS:
        return create_card(call.core, cards.TEST_METHODS[call.id])
    return call.core.get("payment_method", call.id)


def list_all(call: Call) -> Json:
    return page(call, "payment_method", "customer", "type", where=(("customer", "IS NOT", None),))


def list_of_customer(call: Call) -> Json:
    customer = call.core.get_existing("customer", call.id)
    return page(call, "payment_method", "type", where=(("customer", "=", customer["id"]),))


def read_of_customer(call: Call) -> Json:
    method = call.core.get("payment_method", call.path["method"])
    if method["customer"] != call.id:
        raise no_such("payment_method", method["id"])
    return method


def card_on_file(core: StripeCore, customer: Json) -> str | None:
    chosen: str | None = customer["invoice_settings"]["default_payment_method"] or customer["default_source"]
    return chosen


OPERATIONS = [
    Operation("POST", "/v1/payment_methods", create),
    Operation("GET", "/v1/payment_methods", list_all),
    Operation("GET", "/v1/payment_methods/{id}", read),
    Operation("POST", "/v1/payment_methods/{id}/attach", attach),
    Operation("POST", "/v1/payment_methods/{id}/detach", detach),
    Operation("GET", "/v1/customers/{id}/payment_methods", list_of_customer),
    Operation("GET", "/v1/customers/{id}/payment_methods/{method}", read_of_customer),
]
