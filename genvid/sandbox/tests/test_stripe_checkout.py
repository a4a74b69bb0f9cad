import time

import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
    "checkout.session.completed",
]


def test_a_session_keeps_its_parameters(merchant: Merchant) -> None:
    session = merchant.session(client_reference_id="order-1", metadata={"credits": "60"}, locale="de")

    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1200)
    assert (session.client_reference_id, session.metadata["credits"]) == ("order-1", "60")
    assert session.url == f"{merchant.sandbox.url}/pay/{session.id}"
    assert session.payment_intent is None


def test_a_paid_session_is_complete_and_charged(merchant: Merchant) -> None:
    session = merchant.session(payment_intent_data={"metadata": {"order": "1"}})
    mark = merchant.mark()
    paid = merchant.actions.pay(session.id)

    charge = merchant.api.charges.list({"payment_intent": paid["payment_intent"]}).data[0]

    assert (paid["status"], paid["payment_status"], paid["url"], paid["error"]) == ("complete", "paid", None, None)
    assert (charge.amount, charge.status, charge.metadata["order"]) == (1200, "succeeded", "1")
    assert (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4) == ("visa", "4242")
    assert merchant.types(mark) == PAID


def test_a_charges_net_amount_is_without_the_fee(merchant: Merchant) -> None:
    transaction = merchant.api.balance_transactions.retrieve(merchant.charge().balance_transaction)

    assert (transaction.amount, transaction.fee, transaction.net) == (1200, 65, 1135)


def test_a_paid_session_is_not_paid_again(merchant: Merchant) -> None:
    session = merchant.buy()

    with pytest.raises(Exception, match="This Checkout Session has a status of complete"):
        merchant.actions.pay(session["id"])

    assert merchant.actions.records()["counts"]["charge"] == 1


def test_a_guest_becomes_a_customer_only_where_one_is_needed(merchant: Merchant) -> None:
    guest = merchant.buy(customer=None, customer_email="guest@example.com")
    kept = merchant.buy(customer=None, customer_email="kept@example.com", invoice_creation={"enabled": True})

    assert (guest["customer"], guest["customer_details"]["email"]) == (None, "guest@example.com")
    assert merchant.api.customers.retrieve(kept["customer"]).email == "kept@example.com"


def test_a_card_is_kept_for_later_when_that_was_asked_for(merchant: Merchant) -> None:
    merchant.buy()
    assert merchant.api.payment_methods.list({"customer": merchant.customer}).data == []

    merchant.buy(payment_intent_data={"setup_future_usage": "off_session"})

    methods = merchant.api.customers.payment_methods.list(merchant.customer).data
    assert [(one.type, one.card.last4, one.customer) for one in methods] == [("card", "4242", merchant.customer)]


def test_an_invoice_is_made_when_that_was_asked_for(merchant: Merchant) -> None:
    session = merchant.buy(invoice_creation={"enabled": True, "invoice_data": {"metadata": {"order": "1"}}})

    invoice = merchant.api.invoices.retrieve(session["invoice"], {"expand": ["payments"]})

    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == ("manual", "paid", 1200)
    assert (invoice.parent, invoice.metadata["order"]) == (None, "1")
    assert invoice.lines.data[0].pricing.price_details.price == merchant.pack
    assert invoice.payments.data[0].payment.payment_intent == session["payment_intent"]
    found = merchant.api.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": session["payment_intent"]}}
    )
    assert [(one.invoice, one.status) for one in found.data] == [(invoice.id, "paid")]


def test_a_session_can_be_expired(merchant: Merchant) -> None:
    session = merchant.session()

    expired = merchant.api.checkout.sessions.expire(session.id)

    assert (expired.status, expired.url, merchant.types()[-1]) == ("expired", None, "checkout.session.expired")
    with pytest.raises(stripe.InvalidRequestError, match="has a status of expired"):
        merchant.api.checkout.sessions.expire(session.id)


def test_a_session_expires_by_itself_after_a_day(merchant: Merchant) -> None:
    session = merchant.session()

    merchant.actions.advance_clock(24 * 3600 - 60)
    assert merchant.api.checkout.sessions.retrieve(session.id).status == "open"
    merchant.actions.advance_clock(120)

    assert merchant.api.checkout.sessions.retrieve(session.id).status == "expired"


def test_a_session_can_expire_sooner(merchant: Merchant) -> None:
    end = int(time.time()) + 3600
    session = merchant.session(expires_at=end)

    merchant.actions.advance_clock(3700)

    assert (session.expires_at, merchant.api.checkout.sessions.retrieve(session.id).status) == (end, "expired")


def test_sessions_are_listed_by_what_they_are_about(merchant: Merchant) -> None:
    still_open, paid = merchant.session().id, merchant.buy()

    def ids(**params: str) -> list[str]:
        return [one.id for one in merchant.api.checkout.sessions.list(params).data]

    assert ids(status="open") == [still_open]
    assert ids(payment_intent=paid["payment_intent"]) == [paid["id"]]
    assert ids(customer=merchant.customer) == [paid["id"], still_open]


def test_a_bank_debit_is_complete_but_unpaid_until_the_bank_answers(merchant: Merchant) -> None:
    session = merchant.actions.pay(merchant.session(invoice_creation={"enabled": True}).id, method="bank")
    mark = merchant.mark()
    assert (session["status"], session["payment_status"], session["invoice"]) == ("complete", "unpaid", None)

    intent = merchant.actions.settle_bank(session["payment_intent"])

    settled = merchant.api.checkout.sessions.retrieve(session["id"], {"expand": ["invoice"]})
    assert (intent["status"], settled.payment_status, settled.invoice.status) == ("succeeded", "paid", "paid")
    assert merchant.types(mark)[0] == "charge.succeeded"
    assert merchant.types(mark)[-1] == "checkout.session.async_payment_succeeded"


def test_a_bank_debit_can_fail(merchant: Merchant) -> None:
    session = merchant.actions.pay(merchant.session().id, method="bank")
    mark = merchant.mark()

    merchant.actions.settle_bank(session["payment_intent"], succeeds=False)

    assert merchant.types(mark) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert merchant.api.checkout.sessions.retrieve(session["id"]).payment_status == "unpaid"


def test_a_card_can_be_saved_without_a_payment(merchant: Merchant) -> None:
    session = merchant.actions.pay(
        merchant.api.checkout.sessions.create(
            {"mode": "setup", "customer": merchant.customer, "success_url": "http://shop.test/", "currency": "usd"}
        ).id
    )

    setup = merchant.api.setup_intents.retrieve(session["setup_intent"])

    assert (session["payment_status"], setup.status) == ("no_payment_required", "succeeded")
    assert merchant.api.payment_methods.retrieve(setup.payment_method).customer == merchant.customer


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
def test_a_session_that_makes_no_sense_is_refused(params: dict[str, object], param: str, merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.session(**params)

    assert refusal.value.param == param


def test_a_session_over_a_few_cents_is_refused(merchant: Merchant) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.session(merchant.price(49))

    assert refusal.value.code == "amount_too_small"


@pytest.mark.parametrize(("amount", "quantity"), [(-5, 1), (500, -1), (500, 0)])
def test_negative_amounts_and_quantities_are_refused(amount: int, quantity: int, merchant: Merchant) -> None:
    data = {"currency": "usd", "unit_amount": amount, "product": merchant.product}

    with pytest.raises(stripe.InvalidRequestError, match="this value must be greater than or equal to"):
        merchant.session(line_items=[{"price_data": data, "quantity": quantity}])
