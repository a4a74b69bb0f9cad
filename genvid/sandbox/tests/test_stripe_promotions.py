from typing import Any

import httpx
import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant


def code_for(merchant: Merchant, word: str = "WELCOME", limits: dict[str, Any] | None = None, **coupon: Any) -> str:
    made = merchant.api.coupons.create({"duration": "once", **coupon})
    code = {"promotion": {"type": "coupon", "coupon": made.id}, "code": word, **(limits or {})}
    return str(merchant.api.promotion_codes.create(code).id)


def pay_with(merchant: Merchant, word: str, **params: Any) -> dict[str, Any]:
    return merchant.actions.pay(merchant.session(allow_promotion_codes=True, **params).id, promotion_code=word)


@pytest.mark.parametrize(
    ("coupon", "total"), [({"percent_off": 25}, 900), ({"amount_off": 500, "currency": "usd"}, 700)]
)
def test_a_promotion_code_lowers_the_price(coupon: dict[str, Any], total: int, merchant: Merchant) -> None:
    code = code_for(merchant, **coupon)

    session = pay_with(merchant, "welcome")

    assert (session["amount_subtotal"], session["amount_total"]) == (1200, total)
    assert session["total_details"]["amount_discount"] == 1200 - total
    assert session["discounts"] == [{"coupon": None, "promotion_code": code}]
    assert merchant.api.charges.list().data[0].amount == total
    assert merchant.api.promotion_codes.retrieve(code).times_redeemed == 1


def test_a_full_discount_needs_no_payment(merchant: Merchant) -> None:
    code_for(merchant, percent_off=100)

    session = pay_with(merchant, "WELCOME")

    assert (session["payment_status"], session["payment_intent"]) == ("no_payment_required", None)
    assert "charge" not in merchant.actions.records()["counts"]


def test_an_unknown_promotion_code_is_refused(merchant: Merchant) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(merchant, "NOPE")


def test_a_promotion_code_is_refused_after_its_last_redemption(merchant: Merchant) -> None:
    code_for(merchant, limits={"max_redemptions": 1}, percent_off=10)
    pay_with(merchant, "WELCOME")

    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(merchant, "WELCOME")


def test_an_inactive_promotion_code_is_refused(merchant: Merchant) -> None:
    code = code_for(merchant, percent_off=10)
    merchant.api.promotion_codes.update(code, {"active": False})

    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(merchant, "WELCOME")


def test_a_discount_can_come_with_the_session(merchant: Merchant) -> None:
    coupon = merchant.api.coupons.create({"percent_off": 50, "duration": "forever"})

    session = merchant.session(discounts=[{"coupon": coupon.id}])

    assert session.amount_total == 600
    with pytest.raises(stripe.InvalidRequestError, match="You may only specify one of"):
        merchant.session(discounts=[{"coupon": coupon.id}], allow_promotion_codes=True)


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"duration": "once"}, [1000, 2000]),
        ({"duration": "forever"}, [1000, 1000]),
        ({"duration": "repeating", "duration_in_months": 3}, [1000, 1000]),
    ],
)
def test_a_subscriptions_discount_lasts_as_long_as_it_says(
    coupon: dict[str, Any], totals: list[int], merchant: Merchant
) -> None:
    code_for(merchant, percent_off=50, **coupon)
    subscription = pay_with(merchant, "WELCOME", price=merchant.basic, mode="subscription")["subscription"]

    first = merchant.latest_invoice(subscription)
    second = merchant.actions.renew(subscription)

    assert [first.total, second["total"]] == totals
    assert first.total_discount_amounts[0].amount == 1000
    assert first.lines.data[0].discount_amounts[0].amount == 1000
    opened = merchant.api.invoices.retrieve(first.id, {"expand": ["discounts", "lines.data.discounts"]})
    assert opened.discounts[0].source.type == "coupon"


def test_a_repeating_discount_ends_after_its_months(merchant: Merchant) -> None:
    code_for(merchant, percent_off=50, duration="repeating", duration_in_months=2)
    subscription = pay_with(merchant, "WELCOME", price=merchant.basic, mode="subscription")["subscription"]

    merchant.actions.advance_clock(95 * 86400)

    found = merchant.api.invoices.list({"subscription": subscription}).data
    assert [invoice.total for invoice in found] == [2000, 2000, 1000, 1000]


def test_promotion_codes_are_found_by_their_code(merchant: Merchant) -> None:
    code = code_for(merchant, percent_off=10)

    assert [one.id for one in merchant.api.promotion_codes.list({"code": "welcome"}).data] == [code]
    assert merchant.api.promotion_codes.list({"code": "other"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        code_for(merchant, percent_off=20)


def test_a_coupon_needs_a_percentage_or_an_amount(merchant: Merchant) -> None:
    coupon = merchant.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})

    assert (coupon.id, coupon.percent_off, coupon.valid) == ("HALF", 50.0, True)
    assert [one.id for one in merchant.api.coupons.list().data] == ["HALF"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.api.coupons.create({"duration": "once"})
    assert refusal.value.code == "parameter_missing"
