import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000341", "Your card was declined."),
        ("4242424242424241", "Your card number is incorrect."),
        ("4539578763621486", "Your card was declined. Your request was in test mode, but used a non test card."),
    ],
)
def test_a_refused_card_leaves_the_session_open(card: str, told: str, shop: Shop) -> None:
    session = shop.buy(card)

    assert (session["status"], session["payment_status"], session["error"]) == ("open", "unpaid", told)


def test_a_refused_card_leaves_a_failed_charge(shop: Shop) -> None:
    session = shop.session()
    mark = shop.mark()
    intent = shop.api.payment_intents.retrieve(shop.pull.pay(session.id, "4000000000009995")["payment_intent"])

    assert shop.types(mark) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert (intent.status, intent.last_payment_error.decline_code) == ("requires_payment_method", "insufficient_funds")


def test_a_session_is_tried_again_with_the_same_payment_intent(shop: Shop) -> None:
    refused = shop.buy("4000000000000002")

    paid = shop.pull.pay(refused["id"])

    assert (paid["status"], paid["payment_intent"]) == ("complete", refused["payment_intent"])
    assert [one["status"] for one in shop.pull.books()["charges"]] == ["failed", "succeeded"]


@pytest.mark.parametrize("card", ["4000002500003155", "4000000000003220", "4000002760003184"])
def test_3d_secure_passed_is_paid(card: str, shop: Shop) -> None:
    session = shop.session()
    mark = shop.mark()

    assert shop.pull.pay(session.id, card)["payment_status"] == "paid"
    assert shop.types(mark)[:3] == ["payment_intent.created", "payment_intent.requires_action", "charge.succeeded"]


def test_3d_secure_failed_leaves_the_session_open(shop: Shop) -> None:
    session = shop.pull.pay(shop.session().id, "4000000000003220", authenticate=False)

    assert (session["status"], session["error"]) == (
        "open",
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    )


def test_3d_secure_can_be_left_waiting(shop: Shop) -> None:
    session = shop.pull.pay(shop.session().id, "4000000000003220", authenticate=None)
    intent = shop.api.payment_intents.retrieve(session["payment_intent"])
    page = intent.next_action.redirect_to_url.url

    assert (session["status"], intent.status) == ("open", "requires_action")
    assert page == f"{shop.sandbox.url}/pay/secure/{intent.id}"
    assert shop.pull.authenticate(intent.id)["status"] == "succeeded"
    assert shop.api.checkout.sessions.retrieve(session["id"]).status == "complete"


def test_a_card_that_is_disputed_afterwards(shop: Shop) -> None:
    charge = shop.charge("4000000000000259")

    assert [(one.charge, one.status) for one in shop.api.disputes.list({"charge": charge.id}).data] == [
        (charge.id, "needs_response")
    ]


def test_a_card_of_which_a_warning_comes_afterwards(shop: Shop) -> None:
    charge = shop.charge("4000000000005423")

    assert [one.charge for one in shop.api.radar.early_fraud_warnings.list({"charge": charge.id}).data] == [charge.id]
    assert shop.types()[-2:] == ["radar.early_fraud_warning.created", "checkout.session.completed"]


def charge_saved(shop: Shop, method: str, **params: object) -> stripe.PaymentIntent:
    """A payment the buyer is not there for."""
    return shop.api.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "customer": shop.customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            **params,
        }
    )


def test_a_saved_card_is_charged_without_the_buyer(shop: Shop) -> None:
    shop.buy("4000002500003155", payment_intent_data={"setup_future_usage": "off_session"})
    method = shop.api.payment_methods.list({"customer": shop.customer, "type": "card"}).data[0]

    intent = charge_saved(shop, method.id, metadata={"topup": "1"}, description="Top-up")

    assert (intent.status, intent.amount_received, intent.metadata["topup"]) == ("succeeded", 900, "1")


def test_a_saved_card_that_always_asks_needs_the_buyer(shop: Shop) -> None:
    shop.buy("4000002760003184", payment_intent_data={"setup_future_usage": "off_session"})
    method = shop.api.payment_methods.list({"customer": shop.customer}).data[0]

    with pytest.raises(stripe.CardError) as refusal:
        charge_saved(shop, method.id)

    error = refusal.value.error
    assert (refusal.value.http_status, error.type, error.code) == (402, "card_error", "authentication_required")
    assert error.payment_intent.status == "requires_payment_method"
    assert shop.api.payment_intents.retrieve(error.payment_intent.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_stripes_names_for_cards_are_known(method: str, code: str, decline_code: str, shop: Shop) -> None:
    assert charge_saved(shop, "pm_card_visa").status == "succeeded"

    with pytest.raises(stripe.CardError) as refusal:
        charge_saved(shop, method)

    assert (refusal.value.code, refusal.value.error.decline_code) == (code, decline_code)


def test_an_intent_is_confirmed_later(shop: Shop) -> None:
    intent = shop.api.payment_intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"

    assert shop.api.payment_intents.confirm(intent.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="has a status of succeeded"):
        shop.api.payment_intents.confirm(intent.id)


def test_an_intent_is_canceled(shop: Shop) -> None:
    intent = shop.api.payment_intents.create({"amount": 500, "currency": "usd", "customer": shop.customer})

    canceled = shop.api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert [one.id for one in shop.api.payment_intents.list({"customer": shop.customer}).data] == [intent.id]


def test_a_method_is_attached_and_detached(shop: Shop) -> None:
    method = shop.api.payment_methods.attach("pm_card_mastercard", {"customer": shop.customer})
    shop.api.customers.update(shop.customer, {"invoice_settings": {"default_payment_method": method.id}})

    assert shop.api.payment_methods.detach(method.id).customer is None
    assert shop.api.customers.retrieve(shop.customer).invoice_settings.default_payment_method is None
    assert shop.types().count("payment_method.attached") == shop.types().count("payment_method.detached") == 1


def test_another_customers_card_is_not_charged(shop: Shop) -> None:
    other = shop.api.customers.create({"name": "Other"})
    method = shop.api.payment_methods.attach("pm_card_visa", {"customer": other.id})

    with pytest.raises(stripe.InvalidRequestError, match="belongs to another customer"):
        charge_saved(shop, method.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        shop.api.customers.payment_methods.retrieve(shop.customer, method.id)


def test_a_card_whose_bank_only_asks(shop: Shop) -> None:
    charge = shop.charge("4000000000001976")

    dispute = shop.api.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])


def test_a_customer_comes_with_a_card(shop: Shop) -> None:
    customer = shop.api.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )

    methods = shop.api.payment_methods.list({"customer": customer.id}).data
    assert [one.id for one in methods] == [customer.invoice_settings.default_payment_method]


def test_a_card_is_set_up_by_the_api(shop: Shop) -> None:
    setup = shop.api.setup_intents.create(
        {"customer": shop.customer, "payment_method": "pm_card_visa", "confirm": True}
    )

    assert (setup.status, shop.api.payment_methods.retrieve(setup.payment_method).customer) == (
        "succeeded",
        shop.customer,
    )


def test_a_session_is_confirmed_as_stripes_command_line_does_it(shop: Shop) -> None:
    session = shop.session()
    method = shop.http.post("/v1/payment_methods", data={"type": "card", "card[token]": "tok_visa"}).json()["id"]
    confirm = f"/v1/payment_pages/{session.id}/confirm"

    assert shop.http.post(confirm, data={"payment_method": method, "expected_amount": 1}).status_code == 400
    paid = shop.http.post(confirm, data={"payment_method": method, "expected_amount": 1200}).json()

    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
