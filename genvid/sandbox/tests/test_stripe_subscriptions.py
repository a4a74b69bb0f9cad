import time

import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import DAY, Merchant


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    return subscription["items"].data[0]


def test_checkout_starts_a_subscription_and_bills_its_first_period(merchant: Merchant) -> None:
    session = merchant.buy(price=merchant.basic, mode="subscription", subscription_data={"metadata": {"plan": "basic"}})

    subscription = merchant.subscription(session["subscription"])
    invoice = merchant.api.invoices.retrieve(session["invoice"])
    line = invoice.lines.data[0]
    assert (session["payment_status"], session["payment_intent"]) == ("paid", None)
    assert (subscription.status, subscription.metadata["plan"]) == ("active", "basic")
    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == ("subscription_create", "paid", 2000)
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert line.pricing.price_details.price == merchant.basic
    assert line.parent.subscription_item_details.proration is False
    assert line.period.end == item_of(subscription).current_period_end


def test_the_first_payment_is_told_in_stripes_order(merchant: Merchant) -> None:
    session = merchant.session(merchant.basic, mode="subscription")
    mark = merchant.mark()

    merchant.actions.pay(session.id)

    assert merchant.types(mark) == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_method.attached",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]


def test_a_subscription_with_a_declined_first_payment_is_incomplete(merchant: Merchant) -> None:
    session = merchant.buy("4000000000000002", merchant.basic, mode="subscription")
    subscription = merchant.api.subscriptions.list({"customer": merchant.customer}).data[0]
    assert (session["status"], session["subscription"], subscription.status) == ("open", None, "incomplete")

    paid = merchant.actions.pay(session["id"])

    assert (paid["subscription"], merchant.subscription(subscription.id).status) == (subscription.id, "active")
    assert merchant.actions.records()["counts"]["subscription"] == 1


def test_an_incomplete_subscription_expires(merchant: Merchant) -> None:
    merchant.buy("4000000000000002", merchant.basic, mode="subscription")

    merchant.actions.advance_clock(DAY)

    assert [one["status"] for one in merchant.actions.records()["subscriptions"]] == ["incomplete_expired"]
    assert [one["status"] for one in merchant.actions.records()["invoices"]] == ["void"]


def test_a_subscription_starts_after_3d_secure(merchant: Merchant) -> None:
    session = merchant.actions.pay(
        merchant.session(merchant.basic, mode="subscription").id, "4000000000003220", authenticate=None
    )
    assert session["status"] == "open"
    intent = next(event for event in merchant.actions.events() if event["type"] == "payment_intent.requires_action")

    merchant.actions.authenticate(intent["data"]["object"]["id"])

    assert merchant.api.checkout.sessions.retrieve(session["id"]).payment_status == "paid"


def test_the_api_starts_a_subscription_with_the_card_on_file(merchant: Merchant) -> None:
    method = merchant.api.payment_methods.attach("pm_card_visa", {"customer": merchant.customer})
    params = {"customer": merchant.customer, "items": [{"price": merchant.basic}], "default_payment_method": method.id}

    assert merchant.api.subscriptions.create(params).status == "active"


def test_the_api_starts_an_incomplete_subscription_when_the_card_fails(merchant: Merchant) -> None:
    method = merchant.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": merchant.customer})
    params = {"customer": merchant.customer, "items": [{"price": merchant.basic}], "default_payment_method": method.id}

    assert merchant.api.subscriptions.create(params).status == "incomplete"


def test_a_renewal_bills_the_next_period(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    end = item_of(merchant.subscription(subscription)).current_period_end

    invoice = merchant.actions.renew(subscription)

    assert (invoice["billing_reason"], invoice["status"], invoice["amount_paid"]) == (
        "subscription_cycle",
        "paid",
        2000,
    )
    assert invoice["lines"]["data"][0]["period"]["start"] == end
    assert item_of(merchant.subscription(subscription)).current_period_start == end


def test_a_failed_renewal_is_past_due_and_tried_again(merchant: Merchant) -> None:
    subscription, begun = merchant.subscribe(), int(time.time())
    mark = merchant.mark()

    invoice = merchant.actions.renew(subscription, succeeds=False)

    assert (invoice["status"], invoice["attempt_count"]) == ("open", 1)
    assert begun <= invoice["next_payment_attempt"] - 3 * DAY <= time.time()
    assert merchant.subscription(subscription).status == "past_due"
    assert "invoice.payment_failed" in merchant.types(mark)
    assert "invoice.paid" not in merchant.types(mark)


def test_a_retried_payment_makes_a_past_due_subscription_active(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    invoice = merchant.actions.renew(subscription, succeeds=False)

    assert merchant.actions.retry_invoice(invoice["id"])["status"] == "paid"
    assert merchant.subscription(subscription).status == "active"


@pytest.mark.parametrize("end", ["canceled", "unpaid"])
def test_the_last_failed_payment_ends_a_subscription_as_configured(end: str, merchant: Merchant) -> None:
    merchant.sandbox.configure(stripe_final_failure=end)
    subscription = merchant.subscribe()
    invoice = merchant.actions.renew(subscription, succeeds=False)

    for _ in range(3):
        invoice = merchant.actions.retry_invoice(invoice["id"], succeeds=False)

    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (4, None)
    assert merchant.subscription(subscription).status == end


def test_a_card_that_only_fails_later_fails_the_first_payment_after_a_trial(merchant: Merchant) -> None:
    subscription = merchant.subscribe(card="4000000000000341", subscription_data={"trial_period_days": 7})

    merchant.actions.advance_clock(7 * DAY)

    assert merchant.subscription(subscription).status == "past_due"


def test_a_trial_begins_with_an_invoice_over_nothing(merchant: Merchant) -> None:
    session = merchant.buy(price=merchant.basic, mode="subscription", subscription_data={"trial_period_days": 7})

    subscription = merchant.subscription(session["subscription"])
    invoice = merchant.api.invoices.retrieve(session["invoice"])
    assert (session["amount_total"], session["payment_status"]) == (0, "no_payment_required")
    assert (subscription.status, subscription.trial_end - subscription.trial_start) == ("trialing", 7 * DAY)
    assert (invoice.status, invoice.amount_due, invoice.billing_reason) == ("paid", 0, "subscription_create")


def test_a_trial_ends_with_the_first_payment(merchant: Merchant) -> None:
    subscription = merchant.subscribe(subscription_data={"trial_period_days": 7})

    invoice = merchant.actions.end_trial(subscription)

    assert (invoice["billing_reason"], invoice["amount_paid"]) == ("subscription_cycle", 2000)
    assert merchant.subscription(subscription).status == "active"


def test_a_deleted_subscription_ends_at_once(merchant: Merchant) -> None:
    subscription = merchant.subscribe()

    ended = merchant.api.subscriptions.cancel(subscription)

    assert (ended.status, ended.ended_at is not None) == ("canceled", True)
    assert merchant.types()[-1] == "customer.subscription.deleted"
    assert merchant.subscription(subscription).status == "canceled"
    assert merchant.api.subscriptions.list().data == []
    assert [one.id for one in merchant.api.subscriptions.list({"status": "all"}).data] == [subscription]


def test_a_subscription_can_end_with_its_period(merchant: Merchant) -> None:
    subscription = merchant.subscribe()

    asked = merchant.api.subscriptions.update(subscription, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at) == ("active", item_of(asked).current_period_end)

    assert merchant.actions.end_period(subscription)["status"] == "canceled"
    assert merchant.actions.records()["counts"]["invoice"] == 1


def test_a_withdrawn_cancellation_lets_the_subscription_renew(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    merchant.actions.cancel(subscription, at_period_end=True)

    resumed = merchant.api.subscriptions.update(subscription, {"cancel_at_period_end": False})
    merchant.actions.end_period(subscription)

    assert (resumed.cancel_at, resumed.canceled_at) == (None, None)
    assert merchant.latest_invoice(subscription).billing_reason == "subscription_cycle"


def test_subscriptions_are_listed_by_price_and_status(merchant: Merchant) -> None:
    basic, pro = merchant.subscribe(), merchant.subscribe(merchant.pro)
    merchant.actions.cancel(basic)

    assert [one.id for one in merchant.api.subscriptions.list({"price": merchant.pro}).data] == [pro]
    assert [one.id for one in merchant.api.subscriptions.list({"status": "canceled"}).data] == [basic]


def test_an_open_invoice_is_paid_by_another_card(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    invoice = merchant.actions.renew(subscription, succeeds=False)

    with pytest.raises(stripe.CardError):
        merchant.api.invoices.pay(invoice["id"], {"payment_method": "pm_card_chargeCustomerFail"})
    paid = merchant.api.invoices.pay(invoice["id"], {"payment_method": "pm_card_mastercard"})

    assert (paid.status, paid.attempt_count) == ("paid", 3)
    assert merchant.subscription(subscription).status == "active"


def test_a_void_invoice_is_never_paid(merchant: Merchant) -> None:
    invoice = merchant.actions.renew(merchant.subscribe(), succeeds=False)

    assert merchant.api.invoices.void_invoice(invoice["id"]).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="is void"):
        merchant.api.invoices.pay(invoice["id"])


def test_a_debit_pays_a_subscription_later(merchant: Merchant) -> None:
    session = merchant.actions.pay(merchant.session(merchant.basic, mode="subscription").id, method="bank")
    invoice = merchant.api.invoices.retrieve(session["invoice"], {"expand": ["payments"]})
    assert (session["payment_status"], invoice.status) == ("unpaid", "open")

    merchant.actions.settle_bank(invoice.payments.data[0].payment.payment_intent)

    assert merchant.api.invoices.retrieve(invoice.id).status == "paid"
    assert merchant.types()[-1] == "checkout.session.async_payment_succeeded"


def test_a_failed_payments_event_has_the_time_of_the_next_attempt(merchant: Merchant) -> None:
    merchant.actions.renew(merchant.subscribe(), succeeds=False)

    event = next(one for one in merchant.actions.events() if one["type"] == "invoice.payment_failed")
    invoice = event["data"]["object"]
    assert (invoice["attempt_count"], invoice["next_payment_attempt"] > event["created"]) == (1, True)


def test_a_first_payment_that_failed_is_not_tried_again_by_itself(merchant: Merchant) -> None:
    merchant.buy("4000000000000002", merchant.basic, mode="subscription")

    assert [one["next_payment_attempt"] for one in merchant.actions.records()["invoices"]] == [None]


def test_a_trials_first_renewal_is_its_end(merchant: Merchant) -> None:
    subscription = merchant.subscribe(subscription_data={"trial_period_days": 7})

    merchant.actions.renew(subscription)

    assert merchant.subscription(subscription).status == "active"


def test_a_trial_can_be_ended_by_the_api(merchant: Merchant) -> None:
    subscription = merchant.subscribe(subscription_data={"trial_period_days": 7})

    assert merchant.api.subscriptions.update(subscription, {"trial_end": "now"}).status == "active"
    assert merchant.latest_invoice(subscription).amount_paid == 2000


def test_a_trial_can_be_prolonged(merchant: Merchant) -> None:
    subscription = merchant.subscribe(subscription_data={"trial_period_days": 7})
    end = int(time.time()) + 20 * DAY

    assert merchant.api.subscriptions.update(subscription, {"trial_end": end}).trial_end == end
    merchant.actions.advance_clock(8 * DAY)
    assert merchant.subscription(subscription).status == "trialing"
    merchant.actions.advance_clock(13 * DAY)
    assert merchant.subscription(subscription).status == "active"


def test_a_canceled_subscription_accepts_only_metadata(merchant: Merchant) -> None:
    subscription = merchant.subscribe()
    merchant.actions.cancel(subscription)

    assert merchant.api.subscriptions.update(subscription, {"metadata": {"why": "price"}}).metadata["why"] == "price"
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only update"):
        merchant.api.subscriptions.update(subscription, {"cancel_at_period_end": True})
    assert [one.id for one in merchant.api.subscriptions.list({"status": "ended"}).data] == [subscription]


def test_subscription_items_are_listed(merchant: Merchant) -> None:
    subscription = merchant.subscribe()

    items = merchant.api.subscription_items.list({"subscription": subscription}).data

    assert [(one.price.id, one.subscription) for one in items] == [(merchant.basic, subscription)]


def test_an_invoices_lines_come_in_pages(merchant: Merchant) -> None:
    subscription = merchant.subscribe(merchant.basic)
    merchant.actions.change_price(subscription, merchant.pro)
    invoice = merchant.latest_invoice(subscription)

    first = merchant.api.invoices.line_items.list(invoice.id, {"limit": 1})
    second = merchant.api.invoices.line_items.list(invoice.id, {"limit": 1, "starting_after": first.data[0].id})

    assert ([one.amount for one in (*first.data, *second.data)], first.has_more, second.has_more) == (
        [-1000, 2500],
        True,
        False,
    )
