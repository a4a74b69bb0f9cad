"""What falls due as the sandbox's time passes."""

import time

from genvid.sandbox.tests.stripe_shop import DAY, Shop

START = 2_210_284_800  # January 16, 2040
MONTH_END = 2_211_580_800  # January 31, 2040


def set_time(shop: Shop, moment: int) -> None:
    shop.pull.advance_clock(moment - int(time.time()))


def subscribed(shop: Shop, **params: object) -> str:
    """A subscription that was begun at START, paid by the customer's own card."""
    set_time(shop, START)
    method = shop.api.payment_methods.attach("pm_card_visa", {"customer": shop.customer})
    shop.api.customers.update(shop.customer, {"invoice_settings": {"default_payment_method": method.id}})
    body = {"customer": shop.customer, "items": [{"price": shop.basic}], **params}
    return str(shop.api.subscriptions.create(body).id)


def days_from(start: int, moment: int) -> int:
    """Whole days; the seconds that a test takes are cut off."""
    return (moment - start) // DAY


def test_objects_are_made_in_the_sandboxs_time(shop: Shop) -> None:
    subscription = shop.subscription(subscribed(shop))

    made = (shop.api.customers.retrieve(shop.customer).created, subscription.created)
    assert [days_from(START, moment) for moment in made] == [0, 0]


def test_time_brings_renewals_in_their_order(shop: Shop) -> None:
    subscription = subscribed(shop)

    shop.pull.advance_clock(63 * DAY)

    invoices = shop.api.invoices.list({"subscription": subscription}).data
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 2 + ["subscription_create"]
    assert [days_from(START, one.created) for one in invoices] == [60, 31, 0]


def test_time_ends_a_trial_after_a_notice(shop: Shop) -> None:
    subscription = subscribed(shop, trial_period_days=7)
    mark = shop.mark()

    shop.pull.advance_clock(5 * DAY)
    assert shop.types(mark) == ["customer.subscription.trial_will_end"]
    shop.pull.advance_clock(2 * DAY)

    assert shop.subscription(subscription).status == "active"
    assert shop.latest_invoice(subscription).amount_paid == 2000


def test_time_retries_a_failed_payment_until_the_end(shop: Shop) -> None:
    subscription = subscribed(shop)
    broken = shop.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": shop.customer})
    shop.api.subscriptions.update(subscription, {"default_payment_method": broken.id})

    shop.pull.advance_clock((31 + 3 + 5) * DAY)
    assert (shop.subscription(subscription).status, shop.latest_invoice(subscription).attempt_count) == ("past_due", 3)
    shop.pull.advance_clock(7 * DAY)

    assert (shop.subscription(subscription).status, shop.latest_invoice(subscription).attempt_count) == ("canceled", 4)


def test_time_ends_what_was_to_end_with_the_period(shop: Shop) -> None:
    subscription = subscribed(shop)
    shop.api.subscriptions.update(subscription, {"cancel_at_period_end": True})

    shop.pull.advance_clock(32 * DAY)

    ended = shop.subscription(subscription)
    assert (ended.status, ended.ended_at - ended.created) == ("canceled", 31 * DAY)


def test_a_month_ends_where_it_can(shop: Shop) -> None:
    set_time(shop, MONTH_END)
    params = {"customer": shop.customer, "items": [{"price": shop.basic}], "default_payment_method": "pm_card_visa"}
    subscription = str(shop.api.subscriptions.create(params).id)

    shop.pull.advance_clock(61 * DAY)

    starts = [one.lines.data[0].period.start for one in shop.api.invoices.list({"subscription": subscription}).data]
    assert [days_from(MONTH_END, one) for one in starts] == [60, 29, 0]
