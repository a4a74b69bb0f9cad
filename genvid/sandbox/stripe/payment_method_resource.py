"""Payment methods: cards and bank accounts, and whom they belong to."""

import hashlib
from typing import Any

from genvid.sandbox.stripe import cards
from genvid.sandbox.stripe.defaults import ADDRESS
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import page
from genvid.sandbox.stripe.object_store import Thing
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, card_error, no_such
from genvid.sandbox.stripe.stripe_operations import Call, Operation


def make_card(
    core: StripeCore,
    number: str,
    *,
    customer: str | None = None,
    beside: Thing | None = None,
    **bills: Any,
) -> Thing:
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
        **(beside or {}),
    }
    return _make(core, "card", card, customer, bills, _number=number)


def make_bank_account(
    core: StripeCore,
    number: str = cards.GOOD_ACCOUNT,
    *,
    customer: str | None = None,
    beside: Thing | None = None,
    **bills: Any,
) -> Thing:
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
        **(beside or {}),
    }
    return _make(core, cards.BANK_ACCOUNT, account, customer, bills, _number=number)


def _make(core: StripeCore, kind: str, details: Thing, customer: str | None, bills: Thing, **ours: Any) -> Thing:
    return core.new(
        "payment_method",
        "pm_1",
        billing_details={"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None, **bills},
        customer=customer,
        type=kind,
        **{kind: details},
        **ours,
    )


def _fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def resolve(core: StripeCore, wanted: str, customer: str | None = None) -> Thing:
    """The payment method of that id; one of Stripe's test names makes a new one."""
    if wanted in cards.TEST_METHODS:
        return make_card(core, cards.TEST_METHODS[wanted])
    if wanted in cards.TEST_ACCOUNTS:
        return make_bank_account(core, cards.TEST_ACCOUNTS[wanted])
    method = core.get("payment_method", wanted, "payment_method")
    if method["customer"] not in (None, customer):
        message = "The provided PaymentMethod belongs to another customer."
        raise StripeError(message, code="payment_method_customer_mismatch", param="payment_method")
    return method


def attach(core: StripeCore, wanted: str, customer: str) -> Thing:
    method = resolve(core, wanted, customer)
    if method["customer"] != customer:
        core.save(method, customer=customer)
        core.emit("payment_method.attached", method)
    return method


def create_attached(call: Call) -> Thing:
    customer = call.core.get_existing("customer", call.form.need("customer"), "customer")
    if cards.behaviour_of({"_number": cards.TEST_METHODS.get(call.id, "")}) in ("decline", "insufficient_funds"):
        raise cards.DECLINED.error
    return attach(call.core, call.id, customer["id"])


def detach(call: Call) -> Thing:
    method = call.core.get("payment_method", call.id)
    if method["customer"] is None:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    _unset_default(call.core, method)
    before = {"customer": method["customer"]}
    call.core.save(method, customer=None)
    call.core.emit("payment_method.detached", method, before)
    return method


def _unset_default(core: StripeCore, method: Thing) -> None:
    """Nobody pays with it by default any more."""
    customer = core.get("customer", method["customer"])
    settings = customer.get("invoice_settings") or {}
    if settings.get("default_payment_method") == method["id"]:
        settings = {**settings, "default_payment_method": None}
        core.change(customer, "customer.updated", invoice_settings=settings)
    if customer.get("default_source") == method["id"]:
        core.change(customer, "customer.updated", default_source=None)
    for subscription in core.objects.all("subscription", default_payment_method=method["id"]):
        core.change(subscription, "customer.subscription.updated", default_payment_method=None)


def create(call: Call) -> Thing:
    """A test card by its number or by one of Stripe's tokens; a bank account by its number."""
    return from_data(call.core, call.form, call.kept)


def from_data(core: StripeCore, form: Form, kept: Thing) -> Thing:
    """The payment method that `payment_method_data`, or the whole form, describes."""
    form.need("type")
    details = form.part("billing_details")
    bills: Thing = details.chosen("email", "name", "phone")
    if "address" in details:
        bills["address"] = {**ADDRESS, **details.part("address").chosen(*ADDRESS)}
    make = _account if form.text("type") == cards.BANK_ACCOUNT else _card
    method = make(core, form, bills)
    return core.save(method, metadata=form.map("metadata"), **kept)


def _card(core: StripeCore, form: Form, bills: Thing) -> Thing:
    part = form.part("card")
    if part.text("token"):
        return from_token(core, part.need("token"), part.name("token"), **bills)
    number = cards.digits(part.text("number") or cards.PAYS)
    if number not in cards.CARDS:
        wrong = cards.UNKNOWN if cards.is_card_number(number) else "Your card number is incorrect."
        raise card_error(wrong, "incorrect_number", param="card[number]")
    expiry = {name: part.number(name) for name in ("exp_month", "exp_year") if name in part}
    return make_card(core, number, beside=expiry, **bills)


def _account(core: StripeCore, form: Form, bills: Thing) -> Thing:
    part = form.part(cards.BANK_ACCOUNT)
    number = part.text("account_number") or cards.GOOD_ACCOUNT
    if number not in cards.ACCOUNTS:
        raise StripeError("You must use a test bank account number.", param="us_bank_account[account_number]")
    beside = part.chosen("account_holder_type", "account_type", "routing_number")
    return make_bank_account(core, number, beside=beside, **bills)


def from_token(core: StripeCore, token: str, param: str, **bills: Any) -> Thing:
    number = cards.TEST_METHODS.get(token.replace("tok_", "pm_card_", 1))
    if number is None:
        raise no_such("token", token, param, 400)
    return make_card(core, number, **bills)


def read(call: Call) -> Thing:
    method = call.core.objects.find(call.id)
    if method is None and call.id in cards.TEST_METHODS:
        return make_card(call.core, cards.TEST_METHODS[call.id])
    return call.core.get("payment_method", call.id)


def list_all(call: Call) -> Thing:
    return page(call, "payment_method", "customer", "type", where=(("customer", "IS NOT", None),))


def list_of_customer(call: Call) -> Thing:
    customer = call.core.get_existing("customer", call.id)
    return page(call, "payment_method", "type", where=(("customer", "=", customer["id"]),))


def read_of_customer(call: Call) -> Thing:
    method = call.core.get("payment_method", call.path["method"])
    if method["customer"] != call.id:
        raise no_such("payment_method", method["id"])
    return method


def card_on_file(core: StripeCore, customer: Thing) -> str | None:
    """What a customer pays with unless told otherwise."""
    chosen: str | None = customer["invoice_settings"]["default_payment_method"] or customer["default_source"]
    return chosen


OPERATIONS = [
    Operation("POST", "/v1/payment_methods", create),
    Operation("GET", "/v1/payment_methods", list_all),
    Operation("GET", "/v1/payment_methods/{id}", read),
    Operation("POST", "/v1/payment_methods/{id}/attach", create_attached),
    Operation("POST", "/v1/payment_methods/{id}/detach", detach),
    Operation("GET", "/v1/customers/{id}/payment_methods", list_of_customer),
    Operation("GET", "/v1/customers/{id}/payment_methods/{method}", read_of_customer),
]
