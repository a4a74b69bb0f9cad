"""Coupons, promotion codes and discounts."""

from typing import Any

from genvid.sandbox.stripe import currencies
from genvid.sandbox.stripe.form_bodies import Form
from genvid.sandbox.stripe.list_pages import Condition, equal_to, is_set, page
from genvid.sandbox.stripe.object_store import Json, new_id
from genvid.sandbox.stripe.resources import deletable, readable, reading, updatable
from genvid.sandbox.stripe.stripe_core import StripeCore
from genvid.sandbox.stripe.stripe_errors import StripeError, missing_parameter
from genvid.sandbox.stripe.stripe_operations import Call, Operation

DAYS_OF_A_MONTH = 30.4375
INVALID = "This code is invalid."


def create_coupon(call: Call) -> Json:
    form, core = call.form, call.core
    wanted = form.text("id")
    if not form.text("percent_off") and not form.text("amount_off"):
        raise missing_parameter("percent_off")
    duration = form.text("duration") or "once"
    if duration == "repeating" and form.number("duration_in_months") is None:
        raise missing_parameter("duration_in_months")
    coupon = core.new(
        "coupon",
        "",
        **_amount_fields(call),
        duration=duration,
        duration_in_months=form.number("duration_in_months"),
        metadata=form.map("metadata"),
        **call.kept,
        id=wanted or new_id("", 8),
    )
    core.emit("coupon.created", coupon)
    return coupon


def _amount_fields(call: Call) -> Json:
    form = call.form
    percent, amount = form.text("percent_off"), form.number("amount_off")
    if amount is not None and not form.text("currency"):
        raise missing_parameter("currency")
    if percent is not None and amount is not None:
        message = "You may only specify one of these parameters: amount_off, percent_off."
        raise StripeError(message, param="amount_off")
    if percent is None and form.text("currency") and amount is None:
        raise missing_parameter("amount_off")
    if percent is not None and not 0 < float(percent) <= 100:
        raise StripeError("Invalid percent_off: must be greater than 0 and at most 100", param="percent_off")
    return {
        "amount_off": amount,
        "currency": currencies.checked(form.need("currency"), "currency") if amount is not None else None,
        "percent_off": float(percent) if percent else None,
    }


def create_code(call: Call) -> Json:
    form, core = call.form, call.core
    coupon = form.part("promotion").need("coupon")
    core.get_existing("coupon", coupon, "promotion[coupon]")
    if form.text("customer"):
        core.get_existing("customer", form.need("customer"), "customer")
    word = form.text("code") or new_id("", 8).upper()
    if any(one["active"] for one in core.objects.all("promotion_code", _key=word.upper())):
        message = "An active promotion code with `code: " + word + "` already exists."
        raise StripeError(message, code="resource_already_exists", param="code")
    code = core.new(
        "promotion_code",
        "promo_1",
        active=form.flag("active", True),
        code=word,
        **call.kept,
        metadata=form.map("metadata"),
        promotion={"type": "coupon", "coupon": coupon},
        restrictions={
            "first_time_transaction": form.part("restrictions").flag("first_time_transaction"),
            "minimum_amount": form.part("restrictions").number("minimum_amount"),
            "minimum_amount_currency": form.part("restrictions").text("minimum_amount_currency"),
        },
        _key=word.upper(),
    )
    core.emit("promotion_code.created", code)
    return code


def list_codes(call: Call) -> Json:
    code = call.form.text("code")
    where: tuple[Condition, ...] = (("_key", "=", code.upper()),) if code else ()
    return page(
        call, "promotion_code", "customer", is_set("active"), equal_to("coupon", "promotion.coupon"), where=where
    )


def find_code(core: StripeCore, word: str, customer: str | None) -> Json:
    for code in core.objects.all("promotion_code", _key=word.strip().upper(), active=True):
        if is_usable(core, code) and code["customer"] in (None, customer):
            return code
    raise StripeError(INVALID, code="promotion_code_invalid", param="promotion_code")


def check_restrictions(core: StripeCore, code: Json, customer: str | None, subtotal: int, currency: str) -> None:
    limits = code["restrictions"]
    least, of_currency = limits["minimum_amount"], limits["minimum_amount_currency"]
    too_small = least is not None and (subtotal < least or of_currency not in (None, currency))
    has_paid = customer is not None and core.objects.all("charge", customer=customer, status="succeeded") != []
    coupon = core.get("coupon", code["promotion"]["coupon"])
    if too_small or (limits["first_time_transaction"] and has_paid) or coupon["currency"] not in (None, currency):
        raise StripeError(INVALID, code="promotion_code_invalid", param="promotion_code")


def is_usable(core: StripeCore, code: Json) -> bool:
    coupon = core.objects.find(code["promotion"]["coupon"]) or {}
    limits = (
        (code["times_redeemed"], code["max_redemptions"]),
        (coupon.get("times_redeemed", 0), coupon.get("max_redemptions")),
    )
    ends = (code["expires_at"], coupon.get("redeem_by"))
    exhausted = any(limit is not None and used >= limit for used, limit in limits)
    return (
        coupon.get("valid", False) and not exhausted and not any(end is not None and end <= core.now() for end in ends)
    )


def discount_amount(coupon: Json, amount: int) -> int:
    if coupon["percent_off"] is not None:
        return min(amount, round(amount * float(coupon["percent_off"]) / 100))
    return int(min(amount, coupon["amount_off"]))


def create_discount(core: StripeCore, coupon: Json, code: Json | None, **of: Any) -> Json:
    core.save(coupon, times_redeemed=coupon["times_redeemed"] + 1)
    if code is not None:
        core.save(code, times_redeemed=code["times_redeemed"] + 1)
    start, months = core.now(), coupon["duration_in_months"]
    return core.new(
        "discount",
        "di_1",
        **of,
        end=start + round(months * DAYS_OF_A_MONTH * 86400) if months else None,
        promotion_code=code["id"] if code else None,
        source={"type": "coupon", "coupon": coupon["id"]},
        start=start,
    )


def given_discount(core: StripeCore, part: Form) -> tuple[Json, Json | None]:
    code = None
    if part.text("promotion_code"):
        code = core.get("promotion_code", part.need("promotion_code"), part.name("promotion_code"))
    coupon = code["promotion"]["coupon"] if code else part.need("coupon")
    return core.get_existing("coupon", coupon, part.name("coupon")), code


def create_given_discounts(core: StripeCore, form: Form, of: dict[str, Any]) -> list[str]:
    return [str(create_discount(core, *given_discount(core, part), **of)["id"]) for part in form.parts("discounts")]


OPERATIONS = [
    *readable("/v1/coupons", "coupon"),
    Operation("POST", "/v1/coupons", create_coupon),
    updatable("/v1/coupons", "coupon", "coupon.updated"),
    deletable("/v1/coupons", "coupon", "coupon.deleted"),
    Operation("GET", "/v1/promotion_codes", list_codes),
    reading("/v1/promotion_codes", "promotion_code"),
    Operation("POST", "/v1/promotion_codes", create_code),
    updatable("/v1/promotion_codes", "promotion_code", "promotion_code.updated"),
]
