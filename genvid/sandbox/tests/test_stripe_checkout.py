import time

import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
    "checkout.session.completed",
]


def test_a_session_keeps_what_it_was_told(shop: Shop) -> None:
    session = shop.session(client_reference_id="order-1", metadata={"credits": "60"}, locale="de")

    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1200)
    assert (session.client_reference_id, session.metadata["credits"]) == ("order-1", "60")
    assert session.url == f"{shop.sandbox.url}/pay/{session.id}"
    assert session.payment_intent is None


def test_a_paid_session_is_complete_and_charged(shop: Shop) -> None:
    session = shop.session(payment_intent_data={"metadata": {"order": "1"}})
    mark = shop.mark()
    paid = shop.pull.pay(session.id)

    charge = shop.api.charges.list({"payment_intent": paid["payment_intent"]}).data[0]

    assert (paid["status"], paid["payment_status"], paid["url"], paid["error"]) == ("complete", "paid", None, None)
    assert (charge.amount, charge.status, charge.metadata["order"]) == (1200, "succeeded", "1")
    assert (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4) == ("visa", "4242")
    assert shop.types(mark) == PAID


def test_what_a_charge_leaves_after_the_fee(shop: Shop) -> None:
    transaction = shop.api.balance_transactions.retrieve(shop.charge().balance_transaction)

    assert (transaction.amount, transaction.fee, transaction.net) == (1200, 65, 1135)


def test_a_paid_session_is_not_paid_again(shop: Shop) -> None:
    session = shop.buy()

    with pytest.raises(Exception, match="This Checkout Session is complete"):
        shop.pull.pay(session["id"])

    assert shop.pull.books()["counts"]["charge"] == 1


def test_a_guest_stays_one_unless_something_needs_a_customer(shop: Shop) -> None:
    guest = shop.buy(customer=None, customer_email="guest@example.com")
    kept = shop.buy(customer=None, customer_email="kept@example.com", invoice_creation={"enabled": True})

    assert (guest["customer"], guest["customer_details"]["email"]) == (None, "guest@example.com")
    assert shop.api.customers.retrieve(kept["customer"]).email == "kept@example.com"


def test_a_card_is_kept_for_later_when_that_was_asked_for(shop: Shop) -> None:
    shop.buy()
    assert shop.api.payment_methods.list({"customer": shop.customer}).data == []

    shop.buy(payment_intent_data={"setup_future_usage": "off_session"})

    methods = shop.api.customers.payment_methods.list(shop.customer).data
    assert [(one.type, one.card.last4, one.customer) for one in methods] == [("card", "4242", shop.customer)]


def test_an_invoice_is_made_when_that_was_asked_for(shop: Shop) -> None:
    session = shop.buy(invoice_creation={"enabled": True, "invoice_data": {"metadata": {"order": "1"}}})

    invoice = shop.api.invoices.retrieve(session["invoice"], {"expand": ["payments"]})

    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == ("manual", "paid", 1200)
    assert (invoice.parent, invoice.metadata["order"]) == (None, "1")
    assert invoice.lines.data[0].pricing.price_details.price == shop.pack
    assert invoice.payments.data[0].payment.payment_intent == session["payment_intent"]
    found = shop.api.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": session["payment_intent"]}}
    )
    assert [(one.invoice, one.status) for one in found.data] == [(invoice.id, "paid")]


def test_a_session_can_be_expired(shop: Shop) -> None:
    session = shop.session()

    expired = shop.api.checkout.sessions.expire(session.id)

    assert (expired.status, expired.url, shop.types()[-1]) == ("expired", None, "checkout.session.expired")
    with pytest.raises(stripe.InvalidRequestError, match="has a status of expired"):
        shop.api.checkout.sessions.expire(session.id)


def test_a_session_expires_by_itself_after_a_day(shop: Shop) -> None:
    session = shop.session()

    shop.pull.advance_clock(24 * 3600 - 60)
    assert shop.api.checkout.sessions.retrieve(session.id).status == "open"
    shop.pull.advance_clock(120)

    assert shop.api.checkout.sessions.retrieve(session.id).status == "expired"


def test_a_session_can_expire_sooner(shop: Shop) -> None:
    end = int(time.time()) + 3600
    session = shop.session(expires_at=end)

    shop.pull.advance_clock(3700)

    assert (session.expires_at, shop.api.checkout.sessions.retrieve(session.id).status) == (end, "expired")


def test_sessions_are_listed_by_what_they_are_about(shop: Shop) -> None:
    still_open, paid = shop.session().id, shop.buy()

    def ids(**params: str) -> list[str]:
        return [one.id for one in shop.api.checkout.sessions.list(params).data]

    assert ids(status="open") == [still_open]
    assert ids(payment_intent=paid["payment_intent"]) == [paid["id"]]
    assert ids(customer=shop.customer) == [paid["id"], still_open]


def test_a_bank_debit_is_complete_but_unpaid_until_the_bank_answers(shop: Shop) -> None:
    session = shop.pull.pay(shop.session(invoice_creation={"enabled": True}).id, method="bank")
    mark = shop.mark()
    assert (session["status"], session["payment_status"], session["invoice"]) == ("complete", "unpaid", None)

    intent = shop.pull.settle_bank(session["payment_intent"])

    settled = shop.api.checkout.sessions.retrieve(session["id"], {"expand": ["invoice"]})
    assert (intent["status"], settled.payment_status, settled.invoice.status) == ("succeeded", "paid", "paid")
    assert shop.types(mark)[0] == "charge.succeeded"
    assert shop.types(mark)[-1] == "checkout.session.async_payment_succeeded"


def test_a_bank_debit_can_fail(shop: Shop) -> None:
    session = shop.pull.pay(shop.session().id, method="bank")
    mark = shop.mark()

    shop.pull.settle_bank(session["payment_intent"], succeeds=False)

    assert shop.types(mark) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert shop.api.checkout.sessions.retrieve(session["id"]).payment_status == "unpaid"


def test_a_card_can_be_saved_without_a_payment(shop: Shop) -> None:
    session = shop.pull.pay(
        shop.api.checkout.sessions.create(
            {"mode": "setup", "customer": shop.customer, "success_url": "http://shop.test/", "currency": "usd"}
        ).id
    )

    setup = shop.api.setup_intents.retrieve(session["setup_intent"])

    assert (session["payment_status"], setup.status) == ("no_payment_required", "succeeded")
    assert shop.api.payment_methods.retrieve(setup.payment_method).customer == shop.customer


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"mode": "rental"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"expires_at": 1}, "expires_at"),
        ({"mode": "subscription"}, "line_items"),
        ({"customer_email": "b@example.com"}, "customer_email"),
        (
            {"line_items": [{"price_data": {"currency": "usd", "unit_amount": -5}}]},
            "line_items[0][price_data][product]",
        ),
        ({"subscription_data": {"trial_period_days": 731}}, "subscription_data[trial_period_days]"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, "payment_intent_data[metadata][k]"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(params: dict[str, object], param: str, shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.session(**params)

    assert refusal.value.param == param


def test_a_session_over_a_few_cents_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.session(shop.price(49))

    assert refusal.value.code == "amount_too_small"


@pytest.mark.parametrize(("amount", "quantity"), [(-5, 1), (500, -1), (500, 0)])
def test_nothing_is_sold_for_less_than_nothing(amount: int, quantity: int, shop: Shop) -> None:
    data = {"currency": "usd", "unit_amount": amount, "product": shop.product}

    with pytest.raises(stripe.InvalidRequestError, match="this value must be greater than or equal to"):
        shop.session(line_items=[{"price_data": data, "quantity": quantity}])
