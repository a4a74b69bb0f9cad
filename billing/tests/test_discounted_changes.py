"""Changes of plan under coupons, whose lines Stripe discounts: credits follow the time that is left."""

import pytest

from billing.stripe import stripe_client
from billing.tests.shop import balance_of, failed_syncs, price_id

pytestmark = pytest.mark.django_db


def coupon(percent: int, duration: str = "forever") -> str:
    return str(stripe_client.post("coupons", key=f"{percent}:{duration}", percent_off=percent, duration=duration)["id"])


def code(percent: int, duration: str = "forever") -> str:
    promotion = {"type": "coupon", "coupon": coupon(percent, duration)}
    return str(stripe_client.post("promotion_codes", key="code", promotion=promotion, code="SALE")["code"])


def change(shop, subscription: str, plan_code: str, at: float = 0.5) -> list[int]:
    """The amounts of the change's lines."""
    shop.stripe.change_price(subscription, price_id(plan_code), at_fraction=at)
    shop.deliver_events()
    last = shop.stripe.records()["invoices"][-1]
    return [line["amount"] for line in last["lines"]["data"]]


def test_an_upgrade_at_half_the_price_gives_the_whole_difference(shop, owner):
    subscription = shop.subscribe(owner, "starter-month", promotion_code=code(50))
    assert change(shop, subscription, "pro-month") == [-475, 1_225]
    assert (balance_of(owner), failed_syncs()) == (200 + 155, [])


def test_an_upgrade_to_a_plan_that_a_coupon_makes_cheaper_takes_nothing(shop, owner):
    subscription = shop.subscribe(owner, "starter-month")
    stripe_client.post(f"subscriptions/{subscription}", key="sale", discounts=[{"coupon": coupon(80)}])
    assert change(shop, subscription, "pro-month") == [-950, 490]
    assert (balance_of(owner), failed_syncs()) == (200 + 155, [])


def test_a_downgrade_after_a_month_at_a_tenth_takes_the_whole_difference(shop, owner):
    subscription = shop.subscribe(owner, "business-month", promotion_code=code(90, "once"))
    assert change(shop, subscription, "starter-month", 0.01) == [-980, 1_881]
    assert (balance_of(owner), failed_syncs()) == (30 + 178, [])


def test_a_downgrade_after_a_month_that_was_free_takes_the_whole_difference(shop, owner):
    subscription = shop.subscribe(owner, "business-month", promotion_code=code(100, "once"))
    assert change(shop, subscription, "starter-month", 0.01) == [0, 1_881]
    assert (balance_of(owner), failed_syncs()) == (30 + 178, [])


def test_an_upgrade_that_stays_free_gives_the_whole_difference(shop, owner):
    subscription = shop.subscribe(owner, "starter-month", promotion_code=code(100))
    assert change(shop, subscription, "pro-month") == [0, 0]
    assert (balance_of(owner), failed_syncs()) == (200 + 155, [])


def test_what_was_bought_at_a_discount_in_mid_month_is_given_back_at_it(shop, owner):
    subscription = shop.subscribe(owner, "starter-month", promotion_code=code(50))
    shop.stripe.change_price(subscription, price_id("pro-month"), at_fraction=0.0)
    assert change(shop, subscription, "starter-month", 0.0) == [-2_450, 950]
    assert (balance_of(owner), failed_syncs()) == (200, [])


def test_a_yearly_plan_at_half_the_price_stops_with_the_change(shop, owner):
    subscription = shop.subscribe(owner, "starter-year", promotion_code=code(50))
    assert change(shop, subscription, "starter-month", 0.0) == [-9_500, 1_900]
    assert (balance_of(owner), failed_syncs()) == (200, [])
