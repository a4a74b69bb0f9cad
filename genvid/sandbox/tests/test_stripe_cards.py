import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000341", "Your card was declined."),
        ("4242424242424241", "Your card number is incorrect."),
        ("4539578763621486", "Your card was declined. Your request was in test mode, but used a non test card."),
    ],
)
def test_a_refused_card_leaves_the_session_open(card: str, message: str, merchant: Merchant) -> None:
    session = merchant.buy(card)

    assert (session["status"], session["payment_status"], session["error"]) == ("open", "unpaid", message)


def test_a_refused_card_leaves_a_failed_charge(merchant: Merchant) -> None:
    session = merchant.session()
    mark = merchant.mark()
    intent = merchant.api.payment_intents.retrieve(
        merchant.actions.pay(session.id, "4000000000009995")["payment_intent"]
    )

    assert merchant.types(mark) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert (intent.status, intent.last_payment_error.decline_code) == ("requires_payment_method", "insufficient_funds")


def test_a_session_is_tried_again_with_the_same_payment_intent(merchant: Merchant) -> None:
    refused = merchant.buy("4000000000000002")

    paid = merchant.actions.pay(refused["id"])

    assert (paid["status"], paid["payment_intent"]) == ("complete", refused["payment_intent"])
    assert [one["status"] for one in merchant.actions.records()["charges"]] == ["failed", "succeeded"]


@pytest.mark.parametrize("card", ["4000002500003155", "4000000000003220", "4000002760003184"])
def test_a_session_is_paid_after_3d_secure_passed(card: str, merchant: Merchant) -> None:
    session = merchant.session()
    mark = merchant.mark()

    assert merchant.actions.pay(session.id, card)["payment_status"] == "paid"
    assert merchant.types(mark)[:3] == ["payment_intent.created", "payment_intent.requires_action", "charge.succeeded"]


def test_failed_3d_secure_leaves_the_session_open(merchant: Merchant) -> None:
    session = merchant.actions.pay(merchant.session().id, "4000000000003220", authenticate=False)

    assert (session["status"], session["error"]) == (
        "open",
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    )


def test_a_payment_can_be_left_waiting_for_3d_secure(merchant: Merchant) -> None:
    session = merchant.actions.pay(merchant.session().id, "4000000000003220", authenticate=None)
    intent = merchant.api.payment_intents.retrieve(session["payment_intent"])
    page = intent.next_action.redirect_to_url.url

    assert (session["status"], intent.status) == ("open", "requires_action")
    assert page == f"{merchant.sandbox.url}/pay/secure/{intent.id}"
    assert merchant.actions.authenticate(intent.id)["status"] == "succeeded"
    assert merchant.api.checkout.sessions.retrieve(session["id"]).status == "complete"


def test_the_dispute_test_card_pays_and_is_disputed(merchant: Merchant) -> None:
    charge = merchant.charge("4000000000000259")

    assert [(one.charge, one.status) for one in merchant.api.disputes.list({"charge": charge.id}).data] == [
        (charge.id, "needs_response")
    ]


def test_the_fraud_warning_test_card_pays_and_is_warned_of(merchant: Merchant) -> None:
    charge = merchant.charge("4000000000005423")

    assert [one.charge for one in merchant.api.radar.early_fraud_warnings.list({"charge": charge.id}).data] == [
        charge.id
    ]
    assert merchant.types()[-2:] == ["radar.early_fraud_warning.created", "checkout.session.completed"]


def charge_saved(merchant: Merchant, method: str, **params: object) -> stripe.PaymentIntent:
    """A payment the buyer is not there for."""
    return merchant.api.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "customer": merchant.customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            **params,
        }
    )


def test_a_saved_card_is_charged_without_the_buyer(merchant: Merchant) -> None:
    merchant.buy("4000002500003155", payment_intent_data={"setup_future_usage": "off_session"})
    method = merchant.api.payment_methods.list({"customer": merchant.customer, "type": "card"}).data[0]

    intent = charge_saved(merchant, method.id, metadata={"topup": "1"}, description="Top-up")

    assert (intent.status, intent.amount_received, intent.metadata["topup"]) == ("succeeded", 900, "1")


def test_a_saved_card_that_always_asks_needs_the_buyer(merchant: Merchant) -> None:
    merchant.buy("4000002760003184", payment_intent_data={"setup_future_usage": "off_session"})
    method = merchant.api.payment_methods.list({"customer": merchant.customer}).data[0]

    with pytest.raises(stripe.CardError) as refusal:
        charge_saved(merchant, method.id)

    error = refusal.value.error
    assert (refusal.value.http_status, error.type, error.code) == (402, "card_error", "authentication_required")
    assert error.payment_intent.status == "requires_payment_method"
    assert merchant.api.payment_intents.retrieve(error.payment_intent.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_stripes_test_payment_method_names_are_known(
    method: str, code: str, decline_code: str, merchant: Merchant
) -> None:
    assert charge_saved(merchant, "pm_card_visa").status == "succeeded"

    with pytest.raises(stripe.CardError) as refusal:
        charge_saved(merchant, method)

    assert (refusal.value.code, refusal.value.error.decline_code) == (code, decline_code)


def test_a_payment_intent_is_confirmed_after_its_creation(merchant: Merchant) -> None:
    intent = merchant.api.payment_intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"

    assert merchant.api.payment_intents.confirm(intent.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="has a status of succeeded"):
        merchant.api.payment_intents.confirm(intent.id)


def test_a_payment_intent_is_canceled(merchant: Merchant) -> None:
    intent = merchant.api.payment_intents.create({"amount": 500, "currency": "usd", "customer": merchant.customer})

    canceled = merchant.api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert [one.id for one in merchant.api.payment_intents.list({"customer": merchant.customer}).data] == [intent.id]


def test_a_payment_method_is_attached_and_detached(merchant: Merchant) -> None:
    method = merchant.api.payment_methods.attach("pm_card_mastercard", {"customer": merchant.customer})
    merchant.api.customers.update(merchant.customer, {"invoice_settings": {"default_payment_method": method.id}})

    assert merchant.api.payment_methods.detach(method.id).customer is None
    assert merchant.api.customers.retrieve(merchant.customer).invoice_settings.default_payment_method is None
    assert merchant.types().count("payment_method.attached") == merchant.types().count("payment_method.detached") == 1


def test_another_customers_card_is_not_charged(merchant: Merchant) -> None:
    other = merchant.api.customers.create({"name": "Other"})
    method = merchant.api.payment_methods.attach("pm_card_visa", {"customer": other.id})

    with pytest.raises(stripe.InvalidRequestError, match="belongs to another customer"):
        charge_saved(merchant, method.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        merchant.api.customers.payment_methods.retrieve(merchant.customer, method.id)


def test_the_inquiry_test_card_pays_and_gets_an_inquiry(merchant: Merchant) -> None:
    charge = merchant.charge("4000000000001976")

    dispute = merchant.api.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])


def test_a_customer_comes_with_a_card(merchant: Merchant) -> None:
    customer = merchant.api.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )

    methods = merchant.api.payment_methods.list({"customer": customer.id}).data
    assert [one.id for one in methods] == [customer.invoice_settings.default_payment_method]


def test_a_card_is_set_up_by_the_api(merchant: Merchant) -> None:
    setup = merchant.api.setup_intents.create(
        {"customer": merchant.customer, "payment_method": "pm_card_visa", "confirm": True}
    )

    assert (setup.status, merchant.api.payment_methods.retrieve(setup.payment_method).customer) == (
        "succeeded",
        merchant.customer,
    )


def test_a_session_is_confirmed_as_stripes_command_line_does_it(merchant: Merchant) -> None:
    session = merchant.session()
    method = merchant.http.post("/v1/payment_methods", data={"type": "card", "card[token]": "tok_visa"}).json()["id"]
    confirm = f"/v1/payment_pages/{session.id}/confirm"

    assert merchant.http.post(confirm, data={"payment_method": method, "expected_amount": 1}).status_code == 400
    paid = merchant.http.post(confirm, data={"payment_method": method, "expected_amount": 1200}).json()

    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
