from typing import Any

import pytest

from genvid.sandbox.tests.stripe_shop import Shop


def amounts(invoice: Any) -> list[tuple[int, bool]]:
    """Each line's amount, and whether it is a proration."""
    return [(line.amount, line.parent.subscription_item_details.proration) for line in invoice.lines.data]


def test_an_upgrade_is_billed_for_the_rest_of_the_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    changed = shop.pull.change_price(subscription, shop.pro, at_fraction=0.25)

    invoice = shop.latest_invoice(subscription)
    assert (invoice.billing_reason, invoice.status, invoice.total) == ("subscription_update", "paid", 2250)
    assert amounts(invoice) == [(-1500, True), (3750, True)]
    assert [line.pricing.price_details.price for line in invoice.lines.data] == [shop.basic, shop.pro]
    assert changed["items"]["data"][0]["price"]["id"] == shop.pro


def test_an_upgrade_tells_the_plan_before(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    mark = shop.mark()

    shop.pull.change_price(subscription, shop.pro)

    event = next(one for one in shop.pull.events(mark) if one["type"] == "customer.subscription.updated")
    assert event["data"]["previous_attributes"]["items"]["data"][0]["price"]["id"] == shop.basic


def test_a_downgrade_is_kept_as_a_balance_and_used_up_later(shop: Shop) -> None:
    subscription = shop.subscribe(shop.pro)

    shop.pull.change_price(subscription, shop.basic, at_fraction=0.5)

    invoice = shop.latest_invoice(subscription)
    assert (invoice.total, invoice.amount_due, invoice.status, invoice.ending_balance) == (-1500, 0, "paid", -1500)
    assert amounts(invoice) == [(-2500, True), (1000, True)]
    assert shop.api.customers.retrieve(shop.customer).balance == -1500
    renewal = shop.pull.renew(subscription)
    assert (renewal["total"], renewal["amount_paid"], renewal["ending_balance"]) == (2000, 500, 0)


def test_prorations_can_wait_for_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    shop.pull.change_price(subscription, shop.pro, behavior="create_prorations")
    assert shop.pull.books()["counts"]["invoice"] == 1
    shop.pull.renew(subscription)

    invoice = shop.latest_invoice(subscription)
    assert (invoice.billing_reason, invoice.total) == ("subscription_cycle", 6500)
    assert amounts(invoice) == [(-1000, True), (2500, True), (5000, False)]


def test_a_change_may_cost_nothing_until_the_next_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    shop.pull.change_price(subscription, shop.pro, behavior="none")

    assert shop.pull.books()["counts"]["invoice"] == 1
    assert shop.pull.renew(subscription)["total"] == 5000


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice"])
def test_another_interval_begins_a_new_period_at_once(behavior: str, shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    changed = shop.pull.change_price(subscription, shop.yearly, behavior=behavior)

    invoice, item = shop.latest_invoice(subscription), changed["items"]["data"][0]
    assert (invoice.billing_reason, invoice.amount_paid) == ("subscription_update", 19000)
    assert amounts(invoice) == [(-1000, True), (20000, False)]
    assert item["current_period_start"] == changed["billing_cycle_anchor"]
    assert 365 <= (item["current_period_end"] - item["current_period_start"]) / 86400 <= 366


def test_a_change_in_a_trial_is_free(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic, subscription_data={"trial_period_days": 7})

    shop.pull.change_price(subscription, shop.pro)

    assert shop.pull.books()["counts"]["invoice"] == 1
    assert shop.subscription(subscription).status == "trialing"


def test_the_api_changes_quantities_too(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    item = shop.subscription(subscription)["items"].data[0]

    shop.api.subscriptions.update(
        subscription, {"items": [{"id": item.id, "quantity": 3}], "proration_behavior": "always_invoice"}
    )

    assert shop.latest_invoice(subscription).total == pytest.approx(4000, abs=1)


def test_a_new_anchor_begins_a_new_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    shop.api.subscriptions.update(subscription, {"billing_cycle_anchor": "now", "proration_behavior": "none"})

    assert amounts(shop.latest_invoice(subscription)) == [(2000, False)]


def test_a_cancellation_can_give_back_the_rest(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)

    shop.api.subscriptions.cancel(subscription, {"prorate": True, "invoice_now": True})

    assert shop.latest_invoice(subscription).total == pytest.approx(-2000, abs=1)


def test_an_upgrade_that_is_not_paid_is_past_due(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    method = shop.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": shop.customer})
    shop.api.subscriptions.update(subscription, {"default_payment_method": method.id})

    shop.pull.change_price(subscription, shop.pro)

    assert shop.subscription(subscription).status == "past_due"
    assert shop.latest_invoice(subscription).status == "open"
