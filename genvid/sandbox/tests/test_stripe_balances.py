"""A customer's balance, discounts on changes of plan, and subscriptions whose invoices are not collected."""

from typing import Any

import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant


def moves(merchant: Merchant) -> list[tuple[str, int, int]]:
    """What moved the balance, the newest first: kind, amount, balance afterwards."""
    found = merchant.api.customers.balance_transactions.list(merchant.customer).data
    return [(one.type, one.amount, one.ending_balance) for one in found]


def give(merchant: Merchant, amount: int, **metadata: str) -> Any:
    params: Any = {"amount": amount, "currency": "usd", "metadata": metadata}
    return merchant.api.customers.balance_transactions.create(merchant.customer, params)


def test_a_transaction_moves_the_balance_and_stays_readable(merchant: Merchant) -> None:
    made = give(merchant, -500, why="gift")

    found = merchant.api.customers.balance_transactions.retrieve(merchant.customer, made.id)

    assert (found.type, found.amount, found.ending_balance, found.metadata["why"]) == ("adjustment", -500, -500, "gift")
    assert merchant.api.customers.retrieve(merchant.customer).balance == -500


def test_a_transaction_of_another_customer_is_not_found(merchant: Merchant) -> None:
    made = give(merchant, -500)
    other = merchant.api.customers.create({"email": "other@example.com"}).id

    with pytest.raises(stripe.InvalidRequestError) as refused:
        merchant.api.customers.balance_transactions.retrieve(other, made.id)

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.mark.parametrize("kind", ["customers", "subscriptions", "invoices", "charges", "payment_intents", "prices"])
def test_an_object_of_another_account_is_not_found(merchant: Merchant, kind: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        getattr(merchant.api, kind).retrieve("xx_of_another_account")

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_an_invoice_uses_the_customers_balance_and_records_it(merchant: Merchant) -> None:
    give(merchant, -500)

    merchant.subscribe(merchant.basic)

    assert moves(merchant) == [("applied_to_invoice", 500, 0), ("adjustment", -500, -500)]


def coupon(merchant: Merchant, percent: int, duration: str = "forever") -> str:
    params: Any = {"percent_off": percent, "duration": duration}
    return str(merchant.api.coupons.create(params).id)


def changed(merchant: Merchant, subscription: str, price: str) -> list[tuple[int, bool]]:
    """Each line's amount, and whether it gives time back."""
    merchant.actions.change_price(subscription, price, at_fraction=0.5)
    lines = merchant.latest_invoice(subscription).lines.data
    details = [line.parent.subscription_item_details.proration_details for line in lines]
    return [(line.amount, bool(one.credited_items)) for line, one in zip(lines, details, strict=True)]


def test_unused_time_is_credited_at_what_it_cost_though_a_discount_came_later(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    params: Any = {"discounts": [{"coupon": coupon(merchant, 80)}]}
    merchant.api.subscriptions.update(subscription, params)

    assert changed(merchant, subscription, merchant.pro) == [(-1_000, True), (500, False)]


def test_a_lasting_discount_applies_to_credit_and_new_time(merchant: Merchant) -> None:
    subscription = discounted(merchant, coupon(merchant, 50))

    assert changed(merchant, subscription, merchant.pro) == [(-500, True), (1_250, False)]


def test_a_first_month_discount_applies_to_the_credit_alone(merchant: Merchant) -> None:
    subscription = discounted(merchant, coupon(merchant, 100, "once"))

    assert changed(merchant, subscription, merchant.pro) == [(0, True), (2_500, False)]


def discounted(merchant: Merchant, coupon_id: str) -> str:
    card = merchant.api.payment_methods.attach("pm_card_visa", {"customer": merchant.customer}).id
    params: Any = {
        "customer": merchant.customer,
        "items": [{"price": merchant.basic}],
        "discounts": [{"coupon": coupon_id}],
        "default_payment_method": card,
    }
    return str(merchant.api.subscriptions.create(params).id)


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")]
)
def test_a_paused_collection_treats_invoices_as_its_behavior_says(
    merchant: Merchant, behavior: str, status: str
) -> None:
    subscription = merchant.subscribe(merchant.basic)
    give(merchant, -700)
    params: Any = {"pause_collection": {"behavior": behavior}}
    paused = merchant.api.subscriptions.update(subscription, params)

    invoice = merchant.actions.renew(subscription)

    balance = 0 if behavior == "mark_uncollectible" else -700
    assert (paused.status, paused.pause_collection.behavior, invoice["status"]) == ("active", behavior, status)
    assert merchant.api.customers.retrieve(merchant.customer).balance == balance
    assert merchant.actions.records()["counts"]["charge"] == 1


def test_an_invoice_written_off_by_a_paused_collection_sends_its_events(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    params: Any = {"pause_collection": {"behavior": "mark_uncollectible"}}
    merchant.api.subscriptions.update(subscription, params)
    mark = merchant.mark()

    merchant.actions.renew(subscription)

    written_off = ["invoice.created", "invoice.finalized", "invoice.updated", "invoice.marked_uncollectible"]
    assert [kind for kind in merchant.types(mark) if kind.startswith("invoice.")] == written_off


def test_invoices_are_collected_after_a_paused_collection_resumes(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    pause: Any = {"pause_collection": {"behavior": "void"}}
    merchant.api.subscriptions.update(subscription, pause)
    resume: Any = {"pause_collection": ""}

    resumed = merchant.api.subscriptions.update(subscription, resume)

    assert (resumed.pause_collection, merchant.actions.renew(subscription)["status"]) == (None, "paid")


def test_a_paused_collection_past_resumes_at_ends_with_the_next_invoice(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    params: Any = {"pause_collection": {"behavior": "void", "resumes_at": 1_700_000_000}}
    merchant.api.subscriptions.update(subscription, params)

    assert merchant.actions.renew(subscription)["status"] == "paid"
    assert merchant.api.subscriptions.retrieve(subscription).pause_collection is None


def test_pausing_collection_requires_a_behavior(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    params: Any = {"pause_collection": {"behavior": "forget"}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        merchant.api.subscriptions.update(subscription, params)

    assert refused.value.param == "pause_collection[behavior]"
    assert merchant.api.subscriptions.retrieve(subscription).pause_collection is None
