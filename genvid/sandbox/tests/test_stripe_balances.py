"""A customer's balance, discounts on changes of plan, and subscriptions whose invoices are not collected."""

from typing import Any

import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop


def moves(shop: Shop) -> list[tuple[str, int, int]]:
    """What moved the balance, the newest first: kind, amount, balance afterwards."""
    found = shop.api.customers.balance_transactions.list(shop.customer).data
    return [(one.type, one.amount, one.ending_balance) for one in found]


def give(shop: Shop, amount: int, **metadata: str) -> Any:
    params: Any = {"amount": amount, "currency": "usd", "metadata": metadata}
    return shop.api.customers.balance_transactions.create(shop.customer, params)


def test_a_transaction_moves_the_balance_and_stays_readable(shop: Shop) -> None:
    made = give(shop, -500, why="gift")

    found = shop.api.customers.balance_transactions.retrieve(shop.customer, made.id)

    assert (found.type, found.amount, found.ending_balance, found.metadata["why"]) == ("adjustment", -500, -500, "gift")
    assert shop.api.customers.retrieve(shop.customer).balance == -500


def test_a_transaction_of_another_customer_is_not_found(shop: Shop) -> None:
    made = give(shop, -500)
    other = shop.api.customers.create({"email": "other@example.com"}).id

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.customers.balance_transactions.retrieve(other, made.id)

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.mark.parametrize("kind", ["customers", "subscriptions", "invoices", "charges", "payment_intents", "prices"])
def test_what_is_of_another_account_is_not_found(shop: Shop, kind: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        getattr(shop.api, kind).retrieve("xx_of_another_account")

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_an_invoice_uses_the_balance_and_says_so(shop: Shop) -> None:
    give(shop, -500)

    shop.subscribe(shop.basic)

    assert moves(shop) == [("applied_to_invoice", 500, 0), ("adjustment", -500, -500)]


def coupon(shop: Shop, percent: int, duration: str = "forever") -> str:
    params: Any = {"percent_off": percent, "duration": duration}
    return str(shop.api.coupons.create(params).id)


def changed(shop: Shop, subscription: str, price: str) -> list[tuple[int, bool]]:
    """Each line's amount, and whether it gives time back."""
    shop.pull.change_price(subscription, price, at_fraction=0.5)
    lines = shop.latest_invoice(subscription).lines.data
    details = [line.parent.subscription_item_details.proration_details for line in lines]
    return [(line.amount, bool(one.credited_items)) for line, one in zip(lines, details, strict=True)]


def test_time_is_given_back_at_what_it_cost_and_billed_at_what_it_costs_now(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    params: Any = {"discounts": [{"coupon": coupon(shop, 80)}]}
    shop.api.subscriptions.update(subscription, params)

    assert changed(shop, subscription, shop.pro) == [(-1_000, True), (500, False)]


def test_a_discount_that_lasts_is_on_both_sides(shop: Shop) -> None:
    subscription = discounted(shop, coupon(shop, 50))

    assert changed(shop, subscription, shop.pro) == [(-500, True), (1_250, False)]


def test_a_discount_of_the_first_month_is_on_what_is_given_back_alone(shop: Shop) -> None:
    subscription = discounted(shop, coupon(shop, 100, "once"))

    assert changed(shop, subscription, shop.pro) == [(0, True), (2_500, False)]


def discounted(shop: Shop, coupon_id: str) -> str:
    card = shop.api.payment_methods.attach("pm_card_visa", {"customer": shop.customer}).id
    params: Any = {
        "customer": shop.customer,
        "items": [{"price": shop.basic}],
        "discounts": [{"coupon": coupon_id}],
        "default_payment_method": card,
    }
    return str(shop.api.subscriptions.create(params).id)


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")]
)
def test_while_collection_is_paused_invoices_are_put_aside(shop: Shop, behavior: str, status: str) -> None:
    subscription = shop.subscribe(shop.basic)
    give(shop, -700)
    params: Any = {"pause_collection": {"behavior": behavior}}
    paused = shop.api.subscriptions.update(subscription, params)

    invoice = shop.pull.renew(subscription)

    balance = 0 if behavior == "mark_uncollectible" else -700
    assert (paused.status, paused.pause_collection.behavior, invoice["status"]) == ("active", behavior, status)
    assert shop.api.customers.retrieve(shop.customer).balance == balance
    assert shop.pull.books()["counts"]["charge"] == 1


def test_after_it_resumes_invoices_are_collected(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    pause: Any = {"pause_collection": {"behavior": "void"}}
    shop.api.subscriptions.update(subscription, pause)
    resume: Any = {"pause_collection": ""}

    resumed = shop.api.subscriptions.update(subscription, resume)

    assert (resumed.pause_collection, shop.pull.renew(subscription)["status"]) == (None, "paid")


def test_a_pause_that_ends_by_itself_is_over_with_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    params: Any = {"pause_collection": {"behavior": "void", "resumes_at": 1_700_000_000}}
    shop.api.subscriptions.update(subscription, params)

    assert shop.pull.renew(subscription)["status"] == "paid"
    assert shop.api.subscriptions.retrieve(subscription).pause_collection is None


def test_a_pause_has_to_say_what_becomes_of_invoices(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    params: Any = {"pause_collection": {"behavior": "forget"}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.subscriptions.update(subscription, params)

    assert refused.value.param == "pause_collection[behavior]"
    assert shop.api.subscriptions.retrieve(subscription).pause_collection is None
