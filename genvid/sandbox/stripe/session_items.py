"""Line items of a Checkout Session, their discount and their totals."""

from typing import Any

from genvid.sandbox.stripe import product_resource, promotion_resource
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.invoice_lines import product_name
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError


def line_item(core: StripeCore, form: Form, mode: str) -> Json:
    price = _price(core, form)
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
        "description": product_name(core, price),
        "price": price,
        "quantity": quantity,
    }


def _price(core: StripeCore, form: Form) -> Json:
    if "price_data" in form:
        part = form.part("price_data")
        return product_resource.new_price(core, part, product_resource.product_of(core, part))
    price = core.get("price", form.need("price"), form.name("price"))
    if not price["active"]:
        message = f"The price specified is inactive. This field only accepts active prices: {price['id']}"
        raise StripeError(message, param=form.name("price"))
    return price


def apply_given_discounts(core: StripeCore, session: Json, form: Form) -> None:
    """Applies the form's `discounts`, which exclude codes entered by the buyer."""
    for part in form.parts("discounts"):
        if session["allow_promotion_codes"] is not None:
            message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
            raise StripeError(message, param="allow_promotion_codes")
        coupon, code = promotion_resource.given_discount(core, part)
        if code is not None:
            if not code["active"] or not promotion_resource.is_usable(core, code):
                raise StripeError(f"This promotion code is not active: {code['id']}", param=part.name("promotion_code"))
            subtotal = sum(item["amount_subtotal"] for item in session["_line_items"])
            promotion_resource.check_restrictions(core, code, session["customer"], subtotal, session["currency"])
        apply_discount(core, session, coupon, code)


def apply_discount(core: StripeCore, session: Json, coupon: Json, code: Json | None) -> None:
    price_line_items(session, coupon)
    applied = {"coupon": None if code else coupon["id"], "promotion_code": code["id"] if code else None}
    core.save(session, discounts=[applied], _coupon=coupon["id"], _code=code["id"] if code else None, **totals(session))


def remove_discount(core: StripeCore, session: Json) -> Json:
    price_line_items(session, None)
    return core.save(session, discounts=[], _coupon=None, _code=None, **totals(session))


def price_line_items(session: Json, coupon: Json | None) -> None:
    fixed_left = coupon["amount_off"] if coupon else None
    for item in session["_line_items"]:
        worth = {**coupon, "amount_off": fixed_left} if coupon else None
        off = promotion_resource.discount_amount(worth, item["amount_subtotal"]) if worth else 0
        fixed_left = None if fixed_left is None else fixed_left - off
        item |= {"amount_discount": off, "amount_total": item["amount_subtotal"] - off}


def totals(session: Json) -> Json:
    """The amounts due today: a trial's first payment is zero."""
    items, waived = session["_line_items"], is_trial(session)
    due: Any = [item for item in items if not (waived and item["price"]["recurring"])]
    off = sum(item["amount_discount"] for item in due)
    known = session["mode"] != "setup"
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in due) if known else None,
        "amount_total": sum(item["amount_total"] for item in due) if known else None,
        "total_details": {"amount_discount": off, "amount_shipping": 0, "amount_tax": 0} if known else None,
    }


def is_trial(session: Json) -> bool:
    data = session["_subscription_data"]
    return bool(data.get("trial_period_days") or data.get("trial_end"))
