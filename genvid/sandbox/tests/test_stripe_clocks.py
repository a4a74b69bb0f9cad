import time

import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import DAY, Merchant

FORM = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Bo"}
START = 1_800_000_000  # January 15, 2027


def clocked(merchant: Merchant) -> tuple[str, str]:
    """A test clock, and a customer on it who has a card."""
    clock = merchant.api.test_helpers.test_clocks.create({"frozen_time": START})
    customer = merchant.api.customers.create({"email": "clocked@example.com", "test_clock": clock.id})
    method = merchant.api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    merchant.api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    return clock.id, customer.id


def subscribed(merchant: Merchant, customer: str, **params: object) -> str:
    body = {"customer": customer, "items": [{"price": merchant.basic}], **params}
    return str(merchant.api.subscriptions.create(body).id)


def advance(merchant: Merchant, clock: str, days: float) -> None:
    frozen = merchant.api.test_helpers.test_clocks.retrieve(clock).frozen_time
    merchant.api.test_helpers.test_clocks.advance(clock, {"frozen_time": int(frozen + days * DAY)})


def test_objects_of_a_customer_on_a_test_clock_are_made_in_its_time(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)

    subscription = merchant.subscription(subscribed(merchant, customer))

    assert (merchant.api.customers.retrieve(customer).created, subscription.created) == (START, START)
    assert subscription.test_clock == clock


def test_payments_refunds_and_disputes_are_made_in_the_time_of_the_customers_test_clock(merchant: Merchant) -> None:
    _, customer = clocked(merchant)
    session = merchant.session(customer=customer)
    merchant.http.post(session.url, data=FORM)
    charge = merchant.api.charges.list({"customer": customer}).data[0]

    refund = merchant.api.refunds.create({"charge": charge.id, "amount": 100})
    dispute = merchant.actions.dispute(charge.id)

    assert (charge.created, refund.created, dispute["created"]) == (START, START, START)


def test_objects_without_a_test_clock_are_made_in_the_sandboxs_time(merchant: Merchant) -> None:
    begun = int(time.time())
    clocked(merchant)

    made = merchant.api.customers.retrieve(merchant.customer)

    assert begun <= made.created <= time.time()
    assert made.test_clock is None


def test_subscriptions_renew_in_order_as_time_passes(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)
    subscription = subscribed(merchant, customer)

    advance(merchant, clock, 63)

    invoices = merchant.api.invoices.list({"subscription": subscription}).data
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 2 + ["subscription_create"]
    assert [(one.created - START) // DAY for one in invoices] == [59, 31, 0]
    assert merchant.api.test_helpers.test_clocks.retrieve(clock).frozen_time == START + 63 * DAY


def test_a_trial_ends_after_a_notice_as_time_passes(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)
    subscription = subscribed(merchant, customer, trial_period_days=7)
    mark = merchant.mark()

    advance(merchant, clock, 5)
    assert merchant.types(mark) == ["customer.subscription.trial_will_end", "test_helpers.test_clock.ready"]
    advance(merchant, clock, 2)

    assert merchant.subscription(subscription).status == "active"
    assert merchant.latest_invoice(subscription).amount_paid == 2000


def test_a_failed_payment_is_retried_until_the_subscription_is_canceled(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)
    subscription = subscribed(merchant, customer)
    broken = merchant.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    merchant.api.subscriptions.update(subscription, {"default_payment_method": broken.id})

    advance(merchant, clock, 31 + 3 + 5)
    assert (merchant.subscription(subscription).status, merchant.latest_invoice(subscription).attempt_count) == (
        "past_due",
        3,
    )
    advance(merchant, clock, 7)

    assert (merchant.subscription(subscription).status, merchant.latest_invoice(subscription).attempt_count) == (
        "canceled",
        4,
    )


def test_a_subscription_to_be_canceled_ends_when_its_period_is_over(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)
    subscription = subscribed(merchant, customer)
    merchant.api.subscriptions.update(subscription, {"cancel_at_period_end": True})

    advance(merchant, clock, 32)

    ended = merchant.subscription(subscription)
    assert (ended.status, ended.ended_at - START) == ("canceled", 31 * DAY)


def test_the_sandboxs_time_does_not_move_test_clocks(merchant: Merchant) -> None:
    _, customer = clocked(merchant)
    theirs, ours = subscribed(merchant, customer), merchant.subscribe()

    merchant.actions.advance_clock(32 * DAY)

    assert merchant.latest_invoice(ours).billing_reason == "subscription_cycle"
    assert merchant.latest_invoice(theirs).billing_reason == "subscription_create"


def test_a_test_clock_runs_only_forward(merchant: Merchant) -> None:
    clock, _ = clocked(merchant)

    with pytest.raises(stripe.InvalidRequestError, match="only move test clocks forward"):
        merchant.api.test_helpers.test_clocks.advance(clock, {"frozen_time": START - 1})


def test_a_deleted_test_clock_deletes_its_customers(merchant: Merchant) -> None:
    clock, customer = clocked(merchant)
    subscription = subscribed(merchant, customer)

    merchant.api.test_helpers.test_clocks.delete(clock)

    assert merchant.api.customers.retrieve(customer).deleted is True
    assert merchant.subscription(subscription).status == "canceled"
    assert merchant.api.test_helpers.test_clocks.list().data == []


def test_a_period_from_the_31st_ends_on_the_months_last_day(merchant: Merchant) -> None:
    clock = merchant.api.test_helpers.test_clocks.create({"frozen_time": 1_801_400_000})  # January 31, 2027
    customer = merchant.api.customers.create({"test_clock": clock.id}).id
    merchant.api.payment_methods.attach("pm_card_visa", {"customer": customer})
    subscription = subscribed(merchant, customer, default_payment_method="pm_card_visa")

    advance(merchant, clock.id, 60)

    starts = [one.lines.data[0].period.start for one in merchant.api.invoices.list({"subscription": subscription}).data]
    assert [(one - 1_801_400_000) // DAY for one in starts] == [59, 28, 0]
