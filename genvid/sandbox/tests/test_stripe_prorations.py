from typing import Any

import pytest

from genvid.sandbox.tests.stripe_merchant import Merchant


def amounts(invoice: Any) -> list[tuple[int, bool]]:
    """Each line's amount, and whether it is a proration."""
    return [(line.amount, line.parent.subscription_item_details.proration) for line in invoice.lines.data]


def test_an_upgrade_is_billed_for_the_rest_of_the_period(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    changed = merchant.actions.change_price(subscription, merchant.pro, at_fraction=0.25)

    invoice = merchant.latest_invoice(subscription)
    assert (invoice.billing_reason, invoice.status, invoice.total) == ("subscription_update", "paid", 2250)
    assert amounts(invoice) == [(-1500, True), (3750, True)]
    assert [line.pricing.price_details.price for line in invoice.lines.data] == [merchant.basic, merchant.pro]
    assert changed["items"]["data"][0]["price"]["id"] == merchant.pro


def test_an_upgrade_event_has_the_previous_plan(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    mark = merchant.mark()

    merchant.actions.change_price(subscription, merchant.pro)

    event = next(one for one in merchant.actions.events(mark) if one["type"] == "customer.subscription.updated")
    assert event["data"]["previous_attributes"]["items"]["data"][0]["price"]["id"] == merchant.basic


def test_a_downgrade_is_kept_as_a_balance_and_used_up_later(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.pro)

    merchant.actions.change_price(subscription, merchant.basic, at_fraction=0.5)

    invoice = merchant.latest_invoice(subscription)
    assert (invoice.total, invoice.amount_due, invoice.status, invoice.ending_balance) == (-1500, 0, "paid", -1500)
    assert amounts(invoice) == [(-2500, True), (1000, True)]
    assert merchant.api.customers.retrieve(merchant.customer).balance == -1500
    renewal = merchant.actions.renew(subscription)
    assert (renewal["total"], renewal["amount_paid"], renewal["ending_balance"]) == (2000, 500, 0)


def test_prorations_can_be_billed_with_the_next_invoice(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    merchant.actions.change_price(subscription, merchant.pro, behavior="create_prorations")
    assert merchant.actions.records()["counts"]["invoice"] == 1
    merchant.actions.renew(subscription)

    invoice = merchant.latest_invoice(subscription)
    assert (invoice.billing_reason, invoice.total) == ("subscription_cycle", 6500)
    assert amounts(invoice) == [(-1000, True), (2500, True), (5000, False)]


def test_a_price_change_without_prorations_is_billed_from_the_next_period(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    merchant.actions.change_price(subscription, merchant.pro, behavior="none")

    assert merchant.actions.records()["counts"]["invoice"] == 1
    assert merchant.actions.renew(subscription)["total"] == 5000


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice"])
def test_another_interval_begins_a_new_period_at_once(behavior: str, merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    changed = merchant.actions.change_price(subscription, merchant.yearly, behavior=behavior)

    invoice, item = merchant.latest_invoice(subscription), changed["items"]["data"][0]
    assert (invoice.billing_reason, invoice.amount_paid) == ("subscription_update", 19000)
    assert amounts(invoice) == [(-1000, True), (20000, False)]
    assert item["current_period_start"] == changed["billing_cycle_anchor"]
    assert 365 <= (item["current_period_end"] - item["current_period_start"]) / 86400 <= 366


def test_a_price_change_in_a_trial_is_free(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic, subscription_data={"trial_period_days": 7})

    merchant.actions.change_price(subscription, merchant.pro)

    assert merchant.actions.records()["counts"]["invoice"] == 1
    assert merchant.subscription(subscription).status == "trialing"


def test_the_api_changes_quantities_too(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    item = merchant.subscription(subscription)["items"].data[0]

    merchant.api.subscriptions.update(
        subscription, {"items": [{"id": item.id, "quantity": 3}], "proration_behavior": "always_invoice"}
    )

    assert merchant.latest_invoice(subscription).total == pytest.approx(4000, abs=1)


def test_a_new_billing_cycle_anchor_begins_a_new_period(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    merchant.api.subscriptions.update(subscription, {"billing_cycle_anchor": "now", "proration_behavior": "none"})

    assert amounts(merchant.latest_invoice(subscription)) == [(2000, False)]


def test_a_cancellation_can_credit_the_unused_time(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)

    merchant.api.subscriptions.cancel(subscription, {"prorate": True, "invoice_now": True})

    assert merchant.latest_invoice(subscription).total == pytest.approx(-2000, abs=1)


def test_an_upgrade_that_is_not_paid_is_past_due(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    method = merchant.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": merchant.customer})
    merchant.api.subscriptions.update(subscription, {"default_payment_method": method.id})

    merchant.actions.change_price(subscription, merchant.pro)

    assert merchant.subscription(subscription).status == "past_due"
    assert merchant.latest_invoice(subscription).status == "open"
