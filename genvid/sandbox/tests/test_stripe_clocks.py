import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import DAY, Shop

START = 1_800_000_000  # January 15, 2027


def clocked(shop: Shop) -> tuple[str, str]:
    """A clock, and a customer with a card who lives on it."""
    clock = shop.api.test_helpers.test_clocks.create({"frozen_time": START})
    customer = shop.api.customers.create({"email": "clocked@example.com", "test_clock": clock.id})
    method = shop.api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    shop.api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    return clock.id, customer.id


def subscribed(shop: Shop, customer: str, **params: object) -> str:
    body = {"customer": customer, "items": [{"price": shop.basic}], **params}
    return str(shop.api.subscriptions.create(body).id)


def advance(shop: Shop, clock: str, days: float) -> None:
    frozen = shop.api.test_helpers.test_clocks.retrieve(clock).frozen_time
    shop.api.test_helpers.test_clocks.advance(clock, {"frozen_time": int(frozen + days * DAY)})


def test_a_customer_on_a_clock_lives_in_its_time(shop: Shop) -> None:
    clock, customer = clocked(shop)

    subscription = shop.subscription(subscribed(shop, customer))

    assert (shop.api.customers.retrieve(customer).created, subscription.created) == (START, START)
    assert subscription.test_clock == clock


def test_time_brings_renewals_in_their_order(shop: Shop) -> None:
    clock, customer = clocked(shop)
    subscription = subscribed(shop, customer)

    advance(shop, clock, 63)

    invoices = shop.api.invoices.list({"subscription": subscription}).data
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 2 + ["subscription_create"]
    assert [(one.created - START) // DAY for one in invoices] == [59, 31, 0]
    assert shop.api.test_helpers.test_clocks.retrieve(clock).frozen_time == START + 63 * DAY


def test_time_ends_a_trial_after_a_notice(shop: Shop) -> None:
    clock, customer = clocked(shop)
    subscription = subscribed(shop, customer, trial_period_days=7)
    mark = shop.mark()

    advance(shop, clock, 5)
    assert shop.types(mark) == ["customer.subscription.trial_will_end", "test_helpers.test_clock.ready"]
    advance(shop, clock, 2)

    assert shop.subscription(subscription).status == "active"
    assert shop.latest_invoice(subscription).amount_paid == 2000


def test_time_retries_a_failed_payment_until_the_end(shop: Shop) -> None:
    clock, customer = clocked(shop)
    subscription = subscribed(shop, customer)
    broken = shop.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    shop.api.subscriptions.update(subscription, {"default_payment_method": broken.id})

    advance(shop, clock, 31 + 3 + 5)
    assert (shop.subscription(subscription).status, shop.latest_invoice(subscription).attempt_count) == ("past_due", 3)
    advance(shop, clock, 7)

    assert (shop.subscription(subscription).status, shop.latest_invoice(subscription).attempt_count) == ("canceled", 4)


def test_time_ends_what_was_to_end_with_the_period(shop: Shop) -> None:
    clock, customer = clocked(shop)
    subscription = subscribed(shop, customer)
    shop.api.subscriptions.update(subscription, {"cancel_at_period_end": True})

    advance(shop, clock, 32)

    ended = shop.subscription(subscription)
    assert (ended.status, ended.ended_at - START) == ("canceled", 31 * DAY)


def test_the_worlds_time_leaves_clocks_alone(shop: Shop) -> None:
    _, customer = clocked(shop)
    theirs, ours = subscribed(shop, customer), shop.subscribe()

    shop.pull.advance_clock(32 * DAY)

    assert shop.latest_invoice(ours).billing_reason == "subscription_cycle"
    assert shop.latest_invoice(theirs).billing_reason == "subscription_create"


def test_a_clock_runs_only_forward(shop: Shop) -> None:
    clock, _ = clocked(shop)

    with pytest.raises(stripe.InvalidRequestError, match="only move test clocks forward"):
        shop.api.test_helpers.test_clocks.advance(clock, {"frozen_time": START - 1})


def test_a_deleted_clock_takes_its_customers_along(shop: Shop) -> None:
    clock, customer = clocked(shop)
    subscription = subscribed(shop, customer)

    shop.api.test_helpers.test_clocks.delete(clock)

    assert shop.api.customers.retrieve(customer).deleted is True
    assert shop.subscription(subscription).status == "canceled"
    assert shop.api.test_helpers.test_clocks.list().data == []


def test_a_month_ends_where_it_can(shop: Shop) -> None:
    clock = shop.api.test_helpers.test_clocks.create({"frozen_time": 1_801_400_000})  # January 31, 2027
    customer = shop.api.customers.create({"test_clock": clock.id}).id
    shop.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    subscription = subscribed(shop, customer, default_payment_method="pm_card_visa")

    advance(shop, clock.id, 60)

    starts = [one.lines.data[0].period.start for one in shop.api.invoices.list({"subscription": subscription}).data]
    assert [(one - 1_801_400_000) // DAY for one in starts] == [59, 28, 0]
