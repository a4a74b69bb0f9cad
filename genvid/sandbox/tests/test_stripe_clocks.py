"""What falls due as the sandbox's time passes."""

import time

from genvid.sandbox.tests.stripe_merchant import DAY, Merchant

START = 2_210_284_800  # January 16, 2040
MONTH_END = 2_211_580_800  # January 31, 2040


def set_time(merchant: Merchant, moment: int) -> None:
    merchant.actions.advance_clock(moment - int(time.time()))


def subscribed(merchant: Merchant, **params: object) -> str:
    """A subscription that was begun at START, paid by the customer's own card."""
    set_time(merchant, START)
    method = merchant.api.payment_methods.attach("pm_card_visa", {"customer": merchant.customer})
    merchant.api.customers.update(merchant.customer, {"invoice_settings": {"default_payment_method": method.id}})
    body = {"customer": merchant.customer, "items": [{"price": merchant.basic}], **params}
    return str(merchant.api.subscriptions.create(body).id)


def days_from(start: int, moment: int) -> int:
    """Whole days; the seconds that a test takes are cut off."""
    return (moment - start) // DAY


def test_objects_are_made_in_the_sandboxs_time(merchant: Merchant) -> None:
    subscription = merchant.subscription(subscribed(merchant))

    made = (merchant.api.customers.retrieve(merchant.customer).created, subscription.created)
    assert [days_from(START, moment) for moment in made] == [0, 0]


def test_subscriptions_renew_in_order_as_time_passes(merchant: Merchant) -> None:
    subscription = subscribed(merchant)

    merchant.actions.advance_clock(63 * DAY)

    invoices = merchant.api.invoices.list({"subscription": subscription}).data
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 2 + ["subscription_create"]
    assert [days_from(START, one.created) for one in invoices] == [60, 31, 0]


def test_a_trial_ends_after_a_notice_as_time_passes(merchant: Merchant) -> None:
    subscription = subscribed(merchant, trial_period_days=7)
    mark = merchant.mark()

    merchant.actions.advance_clock(5 * DAY)
    assert merchant.types(mark) == ["customer.subscription.trial_will_end"]
    merchant.actions.advance_clock(2 * DAY)

    assert merchant.subscription(subscription).status == "active"
    assert merchant.latest_invoice(subscription).amount_paid == 2000


def test_a_failed_payment_is_retried_until_the_subscription_is_canceled(merchant: Merchant) -> None:
    subscription = subscribed(merchant)
    broken = merchant.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": merchant.customer})
    merchant.api.subscriptions.update(subscription, {"default_payment_method": broken.id})

    merchant.actions.advance_clock((31 + 3 + 5) * DAY)
    assert (merchant.subscription(subscription).status, merchant.latest_invoice(subscription).attempt_count) == (
        "past_due",
        3,
    )
    merchant.actions.advance_clock(7 * DAY)

    assert (merchant.subscription(subscription).status, merchant.latest_invoice(subscription).attempt_count) == (
        "canceled",
        4,
    )


def test_a_subscription_to_be_canceled_ends_when_its_period_is_over(merchant: Merchant) -> None:
    subscription = subscribed(merchant)
    merchant.api.subscriptions.update(subscription, {"cancel_at_period_end": True})

    merchant.actions.advance_clock(32 * DAY)

    ended = merchant.subscription(subscription)
    assert (ended.status, ended.ended_at - ended.created) == ("canceled", 31 * DAY)


def test_a_period_from_the_31st_ends_on_the_months_last_day(merchant: Merchant) -> None:
    set_time(merchant, MONTH_END)
    params = {
        "customer": merchant.customer,
        "items": [{"price": merchant.basic}],
        "default_payment_method": "pm_card_visa",
    }
    subscription = str(merchant.api.subscriptions.create(params).id)

    merchant.actions.advance_clock(61 * DAY)

    starts = [one.lines.data[0].period.start for one in merchant.api.invoices.list({"subscription": subscription}).data]
    assert [days_from(MONTH_END, one) for one in starts] == [60, 29, 0]
