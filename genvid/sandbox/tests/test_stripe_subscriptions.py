import time

import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import DAY, Shop


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    return subscription["items"].data[0]


def test_checkout_starts_a_subscription_and_bills_its_first_period(shop: Shop) -> None:
    session = shop.buy(price=shop.basic, mode="subscription", subscription_data={"metadata": {"plan": "basic"}})

    subscription = shop.subscription(session["subscription"])
    invoice = shop.api.invoices.retrieve(session["invoice"])
    line = invoice.lines.data[0]
    assert (session["payment_status"], session["payment_intent"]) == ("paid", None)
    assert (subscription.status, subscription.metadata["plan"]) == ("active", "basic")
    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == ("subscription_create", "paid", 2000)
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert line.pricing.price_details.price == shop.basic
    assert line.parent.subscription_item_details.proration is False
    assert line.period.end == item_of(subscription).current_period_end


def test_the_first_payment_is_told_in_stripes_order(shop: Shop) -> None:
    session = shop.session(shop.basic, mode="subscription")
    mark = shop.mark()

    shop.pull.pay(session.id)

    assert shop.types(mark) == [
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


def test_a_declined_start_is_incomplete_until_it_is_paid(shop: Shop) -> None:
    session = shop.buy("4000000000000002", shop.basic, mode="subscription")
    subscription = shop.api.subscriptions.list({"customer": shop.customer}).data[0]
    assert (session["status"], session["subscription"], subscription.status) == ("open", None, "incomplete")

    paid = shop.pull.pay(session["id"])

    assert (paid["subscription"], shop.subscription(subscription.id).status) == (subscription.id, "active")
    assert shop.pull.books()["counts"]["subscription"] == 1


def test_a_start_never_paid_expires(shop: Shop) -> None:
    shop.buy("4000000000000002", shop.basic, mode="subscription")

    shop.pull.advance_clock(DAY)

    assert [one["status"] for one in shop.pull.books()["subscriptions"]] == ["incomplete_expired"]
    assert [one["status"] for one in shop.pull.books()["invoices"]] == ["void"]


def test_3d_secure_before_a_subscription(shop: Shop) -> None:
    session = shop.pull.pay(shop.session(shop.basic, mode="subscription").id, "4000000000003220", authenticate=None)
    assert session["status"] == "open"
    intent = next(event for event in shop.pull.events() if event["type"] == "payment_intent.requires_action")

    shop.pull.authenticate(intent["data"]["object"]["id"])

    assert shop.api.checkout.sessions.retrieve(session["id"]).payment_status == "paid"


def test_the_api_starts_one_with_the_card_on_file(shop: Shop) -> None:
    method = shop.api.payment_methods.attach("pm_card_visa", {"customer": shop.customer})
    params = {"customer": shop.customer, "items": [{"price": shop.basic}], "default_payment_method": method.id}

    assert shop.api.subscriptions.create(params).status == "active"


def test_the_api_starts_an_incomplete_one_when_the_card_fails(shop: Shop) -> None:
    method = shop.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": shop.customer})
    params = {"customer": shop.customer, "items": [{"price": shop.basic}], "default_payment_method": method.id}

    assert shop.api.subscriptions.create(params).status == "incomplete"


def test_a_renewal_bills_the_next_period(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = item_of(shop.subscription(subscription)).current_period_end

    invoice = shop.pull.renew(subscription)

    assert (invoice["billing_reason"], invoice["status"], invoice["amount_paid"]) == (
        "subscription_cycle",
        "paid",
        2000,
    )
    assert invoice["lines"]["data"][0]["period"]["start"] == end
    assert item_of(shop.subscription(subscription)).current_period_start == end


def test_a_failed_renewal_is_past_due_and_tried_again(shop: Shop) -> None:
    subscription, begun = shop.subscribe(), int(time.time())
    mark = shop.mark()

    invoice = shop.pull.renew(subscription, succeeds=False)

    assert (invoice["status"], invoice["attempt_count"]) == ("open", 1)
    assert begun <= invoice["next_payment_attempt"] - 3 * DAY <= time.time()
    assert shop.subscription(subscription).status == "past_due"
    assert "invoice.payment_failed" in shop.types(mark)
    assert "invoice.paid" not in shop.types(mark)


def test_a_later_success_makes_it_active_again(shop: Shop) -> None:
    subscription = shop.subscribe()
    invoice = shop.pull.renew(subscription, succeeds=False)

    assert shop.pull.retry_invoice(invoice["id"])["status"] == "paid"
    assert shop.subscription(subscription).status == "active"


@pytest.mark.parametrize("end", ["canceled", "unpaid"])
def test_after_the_last_failure_it_is_what_the_knob_says(end: str, shop: Shop) -> None:
    shop.sandbox.knobs(stripe_final_failure=end)
    subscription = shop.subscribe()
    invoice = shop.pull.renew(subscription, succeeds=False)

    for _ in range(3):
        invoice = shop.pull.retry_invoice(invoice["id"], succeeds=False)

    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (4, None)
    assert shop.subscription(subscription).status == end


def test_a_card_that_only_fails_later_fails_the_first_payment_after_a_trial(shop: Shop) -> None:
    subscription = shop.subscribe(card="4000000000000341", subscription_data={"trial_period_days": 7})

    shop.pull.advance_clock(7 * DAY)

    assert shop.subscription(subscription).status == "past_due"


def test_a_trial_begins_with_an_invoice_over_nothing(shop: Shop) -> None:
    session = shop.buy(price=shop.basic, mode="subscription", subscription_data={"trial_period_days": 7})

    subscription = shop.subscription(session["subscription"])
    invoice = shop.api.invoices.retrieve(session["invoice"])
    assert (session["amount_total"], session["payment_status"]) == (0, "no_payment_required")
    assert (subscription.status, subscription.trial_end - subscription.trial_start) == ("trialing", 7 * DAY)
    assert (invoice.status, invoice.amount_due, invoice.billing_reason) == ("paid", 0, "subscription_create")


def test_a_trial_ends_with_the_first_payment(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 7})

    invoice = shop.pull.end_trial(subscription)

    assert (invoice["billing_reason"], invoice["amount_paid"]) == ("subscription_cycle", 2000)
    assert shop.subscription(subscription).status == "active"


def test_it_ends_at_once_when_deleted(shop: Shop) -> None:
    subscription = shop.subscribe()

    ended = shop.api.subscriptions.cancel(subscription)

    assert (ended.status, ended.ended_at is not None) == ("canceled", True)
    assert shop.types()[-1] == "customer.subscription.deleted"
    assert shop.subscription(subscription).status == "canceled"
    assert shop.api.subscriptions.list().data == []
    assert [one.id for one in shop.api.subscriptions.list({"status": "all"}).data] == [subscription]


def test_it_ends_with_the_period_when_that_was_asked_for(shop: Shop) -> None:
    subscription = shop.subscribe()

    asked = shop.api.subscriptions.update(subscription, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at) == ("active", item_of(asked).current_period_end)

    assert shop.pull.end_period(subscription)["status"] == "canceled"
    assert shop.pull.books()["counts"]["invoice"] == 1


def test_thinking_better_of_it_renews(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.pull.cancel(subscription, at_period_end=True)

    resumed = shop.api.subscriptions.update(subscription, {"cancel_at_period_end": False})
    shop.pull.end_period(subscription)

    assert (resumed.cancel_at, resumed.canceled_at) == (None, None)
    assert shop.latest_invoice(subscription).billing_reason == "subscription_cycle"


def test_subscriptions_are_listed_by_price_and_status(shop: Shop) -> None:
    basic, pro = shop.subscribe(), shop.subscribe(shop.pro)
    shop.pull.cancel(basic)

    assert [one.id for one in shop.api.subscriptions.list({"price": shop.pro}).data] == [pro]
    assert [one.id for one in shop.api.subscriptions.list({"status": "canceled"}).data] == [basic]


def test_an_open_invoice_is_paid_by_another_card(shop: Shop) -> None:
    subscription = shop.subscribe()
    invoice = shop.pull.renew(subscription, succeeds=False)

    with pytest.raises(stripe.CardError):
        shop.api.invoices.pay(invoice["id"], {"payment_method": "pm_card_chargeCustomerFail"})
    paid = shop.api.invoices.pay(invoice["id"], {"payment_method": "pm_card_mastercard"})

    assert (paid.status, paid.attempt_count) == ("paid", 3)
    assert shop.subscription(subscription).status == "active"


def test_a_void_invoice_is_never_paid(shop: Shop) -> None:
    invoice = shop.pull.renew(shop.subscribe(), succeeds=False)

    assert shop.api.invoices.void_invoice(invoice["id"]).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="is void"):
        shop.api.invoices.pay(invoice["id"])


def test_a_debit_pays_a_subscription_later(shop: Shop) -> None:
    session = shop.pull.pay(shop.session(shop.basic, mode="subscription").id, method="bank")
    invoice = shop.api.invoices.retrieve(session["invoice"], {"expand": ["payments"]})
    assert (session["payment_status"], invoice.status) == ("unpaid", "open")

    shop.pull.settle_bank(invoice.payments.data[0].payment.payment_intent)

    assert shop.api.invoices.retrieve(invoice.id).status == "paid"
    assert shop.types()[-1] == "checkout.session.async_payment_succeeded"


def test_a_failed_payment_is_told_of_with_its_next_attempt(shop: Shop) -> None:
    shop.pull.renew(shop.subscribe(), succeeds=False)

    event = next(one for one in shop.pull.events() if one["type"] == "invoice.payment_failed")
    invoice = event["data"]["object"]
    assert (invoice["attempt_count"], invoice["next_payment_attempt"] > event["created"]) == (1, True)


def test_a_first_payment_that_failed_is_not_tried_again_by_itself(shop: Shop) -> None:
    shop.buy("4000000000000002", shop.basic, mode="subscription")

    assert [one["next_payment_attempt"] for one in shop.pull.books()["invoices"]] == [None]


def test_a_trials_first_renewal_is_its_end(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 7})

    shop.pull.renew(subscription)

    assert shop.subscription(subscription).status == "active"


def test_a_trial_can_be_ended_by_the_api(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 7})

    assert shop.api.subscriptions.update(subscription, {"trial_end": "now"}).status == "active"
    assert shop.latest_invoice(subscription).amount_paid == 2000


def test_a_trial_can_be_prolonged(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 7})
    end = int(time.time()) + 20 * DAY

    assert shop.api.subscriptions.update(subscription, {"trial_end": end}).trial_end == end
    shop.pull.advance_clock(8 * DAY)
    assert shop.subscription(subscription).status == "trialing"
    shop.pull.advance_clock(13 * DAY)
    assert shop.subscription(subscription).status == "active"


def test_what_is_over_only_takes_notes(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.pull.cancel(subscription)

    assert shop.api.subscriptions.update(subscription, {"metadata": {"why": "price"}}).metadata["why"] == "price"
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only update"):
        shop.api.subscriptions.update(subscription, {"cancel_at_period_end": True})
    assert [one.id for one in shop.api.subscriptions.list({"status": "ended"}).data] == [subscription]


def test_items_can_be_listed_by_themselves(shop: Shop) -> None:
    subscription = shop.subscribe()

    items = shop.api.subscription_items.list({"subscription": subscription}).data

    assert [(one.price.id, one.subscription) for one in items] == [(shop.basic, subscription)]


def test_an_invoices_lines_come_in_pages(shop: Shop) -> None:
    subscription = shop.subscribe(shop.basic)
    shop.pull.change_price(subscription, shop.pro)
    invoice = shop.latest_invoice(subscription)

    first = shop.api.invoices.line_items.list(invoice.id, {"limit": 1})
    second = shop.api.invoices.line_items.list(invoice.id, {"limit": 1, "starting_after": first.data[0].id})

    assert ([one.amount for one in (*first.data, *second.data)], first.has_more, second.has_more) == (
        [-1000, 2500],
        True,
        False,
    )
