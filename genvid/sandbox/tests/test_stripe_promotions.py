from typing import Any

import httpx
import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop


def code_for(shop: Shop, word: str = "WELCOME", limits: dict[str, Any] | None = None, **coupon: Any) -> str:
    made = shop.api.coupons.create({"duration": "once", **coupon})
    code = {"promotion": {"type": "coupon", "coupon": made.id}, "code": word, **(limits or {})}
    return str(shop.api.promotion_codes.create(code).id)


def pay_with(shop: Shop, word: str, **params: Any) -> dict[str, Any]:
    return shop.pull.pay(shop.session(allow_promotion_codes=True, **params).id, promotion_code=word)


@pytest.mark.parametrize(
    ("coupon", "total"), [({"percent_off": 25}, 900), ({"amount_off": 500, "currency": "usd"}, 700)]
)
def test_a_code_lowers_the_price(coupon: dict[str, Any], total: int, shop: Shop) -> None:
    code = code_for(shop, **coupon)

    session = pay_with(shop, "welcome")

    assert (session["amount_subtotal"], session["amount_total"]) == (1200, total)
    assert session["total_details"]["amount_discount"] == 1200 - total
    assert session["discounts"] == [{"coupon": None, "promotion_code": code}]
    assert shop.api.charges.list().data[0].amount == total
    assert shop.api.promotion_codes.retrieve(code).times_redeemed == 1


def test_a_code_for_everything_needs_no_payment(shop: Shop) -> None:
    code_for(shop, percent_off=100)

    session = pay_with(shop, "WELCOME")

    assert (session["payment_status"], session["payment_intent"]) == ("no_payment_required", None)
    assert "charge" not in shop.pull.books()["counts"]


def test_an_unknown_code_is_refused_as_the_page_does(shop: Shop) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(shop, "NOPE")


def test_a_code_is_used_no_more_often_than_allowed(shop: Shop) -> None:
    code_for(shop, limits={"max_redemptions": 1}, percent_off=10)
    pay_with(shop, "WELCOME")

    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(shop, "WELCOME")


def test_a_switched_off_code_is_not_taken(shop: Shop) -> None:
    code = code_for(shop, percent_off=10)
    shop.api.promotion_codes.update(code, {"active": False})

    with pytest.raises(httpx.HTTPStatusError, match="This code is invalid"):
        pay_with(shop, "WELCOME")


def test_a_discount_can_come_with_the_session(shop: Shop) -> None:
    coupon = shop.api.coupons.create({"percent_off": 50, "duration": "forever"})

    session = shop.session(discounts=[{"coupon": coupon.id}])

    assert session.amount_total == 600
    with pytest.raises(stripe.InvalidRequestError, match="You may only specify one of"):
        shop.session(discounts=[{"coupon": coupon.id}], allow_promotion_codes=True)


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"duration": "once"}, [1000, 2000]),
        ({"duration": "forever"}, [1000, 1000]),
        ({"duration": "repeating", "duration_in_months": 3}, [1000, 1000]),
    ],
)
def test_a_subscriptions_discount_lasts_as_long_as_it_says(
    coupon: dict[str, Any], totals: list[int], shop: Shop
) -> None:
    code_for(shop, percent_off=50, **coupon)
    subscription = pay_with(shop, "WELCOME", price=shop.basic, mode="subscription")["subscription"]

    first = shop.latest_invoice(subscription)
    second = shop.pull.renew(subscription)

    assert [first.total, second["total"]] == totals
    assert first.total_discount_amounts[0].amount == 1000
    assert first.lines.data[0].discount_amounts[0].amount == 1000
    opened = shop.api.invoices.retrieve(first.id, {"expand": ["discounts", "lines.data.discounts"]})
    assert opened.discounts[0].source.type == "coupon"


def test_a_repeating_discount_ends(shop: Shop) -> None:
    code_for(shop, percent_off=50, duration="repeating", duration_in_months=2)
    subscription = pay_with(shop, "WELCOME", price=shop.basic, mode="subscription")["subscription"]

    shop.pull.advance_clock(95 * 86400)

    found = shop.api.invoices.list({"subscription": subscription}).data
    assert [invoice.total for invoice in found] == [2000, 2000, 1000, 1000]


def test_codes_are_found_by_their_word(shop: Shop) -> None:
    code = code_for(shop, percent_off=10)

    assert [one.id for one in shop.api.promotion_codes.list({"code": "welcome"}).data] == [code]
    assert shop.api.promotion_codes.list({"code": "other"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        code_for(shop, percent_off=20)


def test_a_coupon_says_what_it_is_worth(shop: Shop) -> None:
    coupon = shop.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})

    assert (coupon.id, coupon.percent_off, coupon.valid) == ("HALF", 50.0, True)
    assert [one.id for one in shop.api.coupons.list().data] == ["HALF"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.coupons.create({"duration": "once"})
    assert refusal.value.code == "parameter_missing"
