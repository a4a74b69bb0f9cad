"""Checkout Sessions: what is to be bought, under which terms."""

from typing import Any

from genvid.sandbox.stripe import catalogue, promotions
from genvid.sandbox.stripe.bank import Bank
from genvid.sandbox.stripe.books import Thing, listed, new_id
from genvid.sandbox.stripe.calls import Call, Operation
from genvid.sandbox.stripe.errors import StripeError, missing
from genvid.sandbox.stripe.forms import Form
from genvid.sandbox.stripe.lines import product_name
from genvid.sandbox.stripe.lists import Condition, page

DAY, HALF_HOUR = 24 * 3600, 30 * 60
LONGEST_TRIAL, SMALLEST = 730, 50
TAKES = (
    "mode customer customer_email customer_creation customer_update line_items success_url cancel_url return_url "
    "client_reference_id metadata payment_intent_data subscription_data setup_intent_data allow_promotion_codes "
    "discounts invoice_creation automatic_tax tax_id_collection expires_at payment_method_types locale "
    "billing_address_collection payment_method_collection phone_number_collection submit_type ui_mode currency "
    "consent_collection custom_text custom_fields after_expiration saved_payment_method_options "
    "payment_method_options adaptive_pricing origin_context name_collection"
)
BLANK: Thing = {
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_details": None,
    "invoice": None,
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "presentment_details": None,
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "submit_type": None,
    "subscription": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}


def create(call: Call) -> Thing:
    form, bank = call.form, call.bank
    form.need("mode")
    mode = form.word("mode", "payment", "subscription", "setup")
    customer = _customer(bank, form)
    items = [_line_item(bank, part, mode) for part in form.parts("line_items")]
    if mode != "setup" and not items:
        raise missing("line_items")
    if mode == "subscription" and not any(item["price"]["recurring"] for item in items):
        raise StripeError("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    session = bank.new(
        "checkout.session",
        "cs_test_a1",
        **BLANK,
        **_terms(form, mode),
        **_urls(form),
        customer=customer,
        currency=items[0]["currency"] if items else form.text("currency"),
        expires_at=_expiry(bank, form, customer),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        _line_items=items,
        _intent_data=_checked(form.part("payment_intent_data")).values,
        _subscription_data=_trial_checked(form.part("subscription_data")).values,
        _invoice_data=form.part("invoice_creation").part("invoice_data").values,
    )
    total(session, None)
    _reduce(bank, session, form)
    _check_amount(session)
    return bank.save(session, url=f"{bank.base}/pay/{session['id']}", **_totals(session))


def _checked(form: Form) -> Form:
    form.map("metadata")
    return form


def _trial_checked(form: Form) -> Form:
    """Two years at most, as at Stripe."""
    days = form.number("trial_period_days")
    if days is not None and not 1 <= days <= LONGEST_TRIAL:
        raise StripeError(f"Trial periods last 1 to {LONGEST_TRIAL} days.", param=form.name("trial_period_days"))
    return _checked(form)


def _check_amount(session: Thing) -> None:
    if len({item["currency"] for item in session["_line_items"]}) > 1:
        raise StripeError("All prices of a session must have the same currency.", param="line_items")
    total = _totals(session)["amount_total"]
    if session["mode"] == "payment" and 0 < total < SMALLEST:
        message = "The Checkout Session's total amount due must add up to at least $0.50 usd"
        raise StripeError(message, code="amount_too_small")


def _customer(bank: Bank, form: Form) -> str | None:
    customer = form.text("customer")
    if customer is not None and "customer_email" in form:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise StripeError(message, param="customer_email")
    if customer is None and "customer_update" in form:
        raise StripeError("`customer_update` can only be used with `customer`.", param="customer_update")
    return bank.alive("customer", customer, "customer")["id"] if customer else None


def _terms(form: Form, mode: str) -> Thing:
    enabled = form.part("invoice_creation").flag("enabled")
    data: Thing = {"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None}
    data |= {"metadata": form.part("invoice_creation").part("invoice_data").map("metadata"), "rendering_options": None}
    tax = {"enabled": form.part("automatic_tax").flag("enabled"), "liability": None, "provider": None, "status": None}
    return {
        "allow_promotion_codes": form.flag("allow_promotion_codes") if "allow_promotion_codes" in form else None,
        "automatic_tax": {**tax, "status": "complete" if tax["enabled"] else None},
        "billing_address_collection": form.text("billing_address_collection"),
        "client_reference_id": form.text("client_reference_id"),
        "customer_creation": None if mode == "subscription" else form.text("customer_creation") or "if_required",
        "customer_email": form.text("customer_email"),
        "invoice_creation": {"enabled": enabled, "invoice_data": data} if mode == "payment" else None,
        "livemode": False,
        "locale": form.text("locale"),
        "metadata": form.map("metadata"),
        "mode": mode,
        "payment_method_collection": form.text("payment_method_collection")
        or ("always" if mode != "payment" else "if_required"),
        "payment_method_types": form.texts("payment_method_types") or ["card", "us_bank_account"],
        "tax_id_collection": {"enabled": form.part("tax_id_collection").flag("enabled"), "required": "never"},
    }


def _urls(form: Form) -> Thing:
    for name in ("success_url", "cancel_url"):
        url = form.text(name) if name == "cancel_url" else form.need(name)
        if url is not None and not url.startswith(("http://", "https://")):
            message = "Not a valid URL. An explicit scheme (such as https) must be provided."
            raise StripeError(message, code="url_invalid", param=name)
    return {"success_url": form.text("success_url"), "cancel_url": form.text("cancel_url"), "url": None}


def _expiry(bank: Bank, form: Form, customer: str | None) -> int:
    now = bank.now(customer)
    wanted = form.number("expires_at", now + DAY) or 0
    if not now + HALF_HOUR - 60 <= wanted <= now + DAY + 60:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise StripeError(message, param="expires_at")
    return wanted


def _line_item(bank: Bank, form: Form, mode: str) -> Thing:
    price = _price(bank, form)
    quantity = form.count("quantity")
    if mode == "payment" and price["recurring"]:
        message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
        raise StripeError(message + "use only one-time prices.", param="line_items")
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product_name(bank, price),
        "price": price,
        "quantity": quantity,
    }


def _price(bank: Bank, form: Form) -> Thing:
    if "price_data" in form:
        part = form.part("price_data")
        return catalogue.make_price(bank, part, catalogue.product_of(bank, part))
    price = bank.get("price", form.need("price"), form.name("price"))
    if not price["active"]:
        message = f"The price specified is inactive. This field only accepts active prices: {price['id']}"
        raise StripeError(message, param=form.name("price"))
    return price


def _reduce(bank: Bank, session: Thing, form: Form) -> None:
    """A discount that comes with the session; it rules out a code typed by the buyer."""
    for part in form.parts("discounts"):
        if session["allow_promotion_codes"] is not None:
            message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
            raise StripeError(message, param="allow_promotion_codes")
        code = None
        if part.text("promotion_code"):
            code = bank.get("promotion_code", part.need("promotion_code"), part.name("promotion_code"))
            if not code["active"] or not promotions.is_usable(bank, code):
                raise StripeError(f"This promotion code is not active: {code['id']}", param=part.name("promotion_code"))
        coupon = code["promotion"]["coupon"] if code else part.need("coupon")
        reduce(bank, session, bank.alive("coupon", coupon, part.name("coupon")), code)


def reduce(bank: Bank, session: Thing, coupon: Thing, code: Thing | None) -> None:
    total(session, coupon)
    told = {"coupon": None if code else coupon["id"], "promotion_code": code["id"] if code else None}
    bank.save(session, discounts=[told], _coupon=coupon["id"], _code=code["id"] if code else None, **_totals(session))


def unreduce(bank: Bank, session: Thing) -> Thing:
    total(session, None)
    return bank.save(session, discounts=[], _coupon=None, _code=None, **_totals(session))


def total(session: Thing, coupon: Thing | None) -> None:
    """Works the line items out anew, with this coupon or none."""
    fixed_left = coupon["amount_off"] if coupon else None
    for item in session["_line_items"]:
        worth = {**coupon, "amount_off": fixed_left} if coupon else None
        off = promotions.reduction(worth, item["amount_subtotal"]) if worth else 0
        fixed_left = None if fixed_left is None else fixed_left - off
        item |= {"amount_discount": off, "amount_total": item["amount_subtotal"] - off}
    session.setdefault("discounts", [])


def _totals(session: Thing) -> Thing:
    """A trial's first payment is nothing."""
    items, waived = session["_line_items"], is_trial(session)
    due: Any = [item for item in items if not (waived and item["price"]["recurring"])]
    off = sum(item["amount_discount"] for item in due)
    known = session["mode"] != "setup"
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in due) if known else None,
        "amount_total": sum(item["amount_total"] for item in due) if known else None,
        "total_details": {"amount_discount": off, "amount_shipping": 0, "amount_tax": 0} if known else None,
    }


def is_trial(session: Thing) -> bool:
    data = session["_subscription_data"]
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def expire(bank: Bank, session: Thing) -> Thing:
    if session["status"] != "open":
        allowed = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        message = f"{allowed} This Checkout Session has a status of {session['status']}."
        raise StripeError(message)
    bank.save(session, status="expired", url=None)
    bank.emit("checkout.session.expired", session)
    return session


def expire_called(call: Call) -> Thing:
    return expire(call.bank, call.bank.get("checkout.session", call.id))


def read(call: Call) -> Thing:
    return call.bank.get("checkout.session", call.id)


def update(call: Call) -> Thing:
    session = call.bank.get("checkout.session", call.id)
    return call.bank.save(session, metadata=call.form.map("metadata", session["metadata"]))


def line_items(call: Call) -> Thing:
    session = call.bank.get("checkout.session", call.id)
    return listed(f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"])


def list_all(call: Call) -> Thing:
    email = call.form.part("customer_details").text("email")
    where: tuple[Condition, ...] = (("customer_details.email", "=", email),) if email else ()
    return page(call, "checkout.session", "customer", "status", "payment_intent", "subscription", where=where)


OPERATIONS = [
    Operation("POST", "/v1/checkout/sessions", create, TAKES),
    Operation("GET", "/v1/checkout/sessions", list_all),
    Operation("GET", "/v1/checkout/sessions/{id}", read),
    Operation("POST", "/v1/checkout/sessions/{id}", update),
    Operation("POST", "/v1/checkout/sessions/{id}/expire", expire_called),
    Operation("GET", "/v1/checkout/sessions/{id}/line_items", line_items),
]
