import httpx
import pytest
import stripe

from genvid.sandbox.tests.stripe_merchant import Merchant


def refunded(merchant: Merchant, charge_id: str) -> tuple[int, bool]:
    charge = merchant.api.charges.retrieve(charge_id)
    return charge.amount_refunded, charge.refunded


def test_a_charge_is_refunded_in_parts_and_then_wholly(merchant: Merchant) -> None:
    charge = merchant.charge()

    first = merchant.api.refunds.create({"charge": charge.id, "amount": 500, "reason": "requested_by_customer"})
    assert (first.status, first.amount, refunded(merchant, charge.id)) == ("succeeded", 500, (500, False))
    rest = merchant.api.refunds.create({"payment_intent": charge.payment_intent, "metadata": {"by": "staff"}})

    assert (rest.amount, rest.metadata["by"], refunded(merchant, charge.id)) == (700, "staff", (1200, True))
    assert [one.id for one in merchant.api.refunds.list({"charge": charge.id}).data] == [rest.id, first.id]
    assert merchant.api.balance_transactions.retrieve(rest.balance_transaction).amount == -700


def test_a_refund_event_has_the_previously_refunded_amount(merchant: Merchant) -> None:
    charge = merchant.charge()
    mark = merchant.mark()

    merchant.actions.refund(charge.id, 500)

    events = merchant.actions.events(mark)
    assert [event["type"] for event in events] == ["refund.created", "charge.refunded"]
    assert events[1]["data"]["object"]["amount_refunded"] == 500
    assert events[1]["data"]["previous_attributes"] == {"amount_refunded": 0}


def test_no_more_is_refunded_than_was_paid(merchant: Merchant) -> None:
    charge = merchant.charge()

    with pytest.raises(stripe.InvalidRequestError, match=r"\(\$13.00\) is greater than unrefunded amount"):
        merchant.api.refunds.create({"charge": charge.id, "amount": 1300})
    merchant.actions.refund(charge.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.api.refunds.create({"charge": charge.id})

    assert refusal.value.code == "charge_already_refunded"
    assert len(merchant.actions.records()["refunds"]) == 1


def test_a_refund_that_fails_lowers_what_is_refunded(merchant: Merchant) -> None:
    charge = merchant.charge()
    refund = merchant.actions.refund(charge.id)
    mark = merchant.mark()

    failed = merchant.actions.fail_refund(refund["id"])

    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert refunded(merchant, charge.id) == (0, False)
    assert merchant.types(mark) == ["refund.updated", "charge.refund.updated", "refund.failed"]


@pytest.mark.parametrize(("status", "amount"), [("succeeded", 1200), ("pending", 1200), ("failed", 0), ("canceled", 0)])
def test_a_refund_of_any_status_counts_as_stripe_counts_it(status: str, amount: int, merchant: Merchant) -> None:
    charge = merchant.charge()

    refund = merchant.actions.refund(charge.id, status=status)

    assert (refund["status"], refunded(merchant, charge.id)[0]) == (status, amount)


def test_a_pending_refund_can_be_canceled(merchant: Merchant) -> None:
    refund = merchant.actions.refund(merchant.charge().id, status="pending")

    assert merchant.api.refunds.cancel(refund["id"]).status == "canceled"


def test_a_dispute_takes_the_money_and_a_fee(merchant: Merchant) -> None:
    charge = merchant.charge()
    mark = merchant.mark()

    dispute = merchant.actions.dispute(charge.payment_intent, 700, reason="product_not_received")

    assert (dispute["amount"], dispute["reason"], dispute["status"]) == (700, "product_not_received", "needs_response")
    assert [(one["amount"], one["fee"]) for one in dispute["balance_transactions"]] == [(-700, 1500)]
    assert merchant.api.charges.retrieve(charge.id).disputed is True
    assert merchant.types(mark) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(
    ("warning", "end", "status", "amounts", "events"),
    [
        (False, "won", "won", [-1200, 1200], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        (False, "lost", "lost", [-1200], ["charge.dispute.closed"]),
        (True, "lost", "warning_closed", [], ["charge.dispute.closed"]),
    ],
)
def test_a_closed_dispute_has_its_status_and_balance_transactions(
    warning: bool, end: str, status: str, amounts: list[int], events: list[str], merchant: Merchant
) -> None:
    dispute = merchant.actions.dispute(merchant.charge().id, warning=warning)
    mark = merchant.mark()

    closed = merchant.actions.close_dispute(dispute["id"], end)

    assert (closed["status"], [one["amount"] for one in closed["balance_transactions"]]) == (status, amounts)
    assert merchant.types(mark) == events
    with pytest.raises(httpx.HTTPStatusError, match="already closed"):
        merchant.actions.close_dispute(dispute["id"])


def test_an_accepted_dispute_is_lost(merchant: Merchant) -> None:
    charge = merchant.charge()
    dispute = merchant.actions.dispute(charge.id)

    assert merchant.api.disputes.close(dispute["id"]).status == "lost"
    assert [one.id for one in merchant.api.disputes.list({"payment_intent": charge.payment_intent}).data] == [
        dispute["id"]
    ]


def test_a_fraud_warning_names_its_charge(merchant: Merchant) -> None:
    charge = merchant.charge()

    warning = merchant.actions.fraud_warning(charge.payment_intent)

    found = merchant.api.radar.early_fraud_warnings.retrieve(warning["id"])
    assert (found.charge, found.payment_intent, found.actionable) == (charge.id, charge.payment_intent, True)


def test_an_unpaid_charge_is_neither_refunded_nor_disputed(merchant: Merchant) -> None:
    merchant.buy("4000000000000002")
    failed = merchant.actions.records()["charges"][0]["id"]

    with pytest.raises(httpx.HTTPStatusError, match="has not been paid"):
        merchant.actions.refund(failed)
    with pytest.raises(httpx.HTTPStatusError, match="has not been paid"):
        merchant.actions.dispute(failed)


def test_the_overview_lists_charges_refunds_and_disputes(merchant: Merchant) -> None:
    charge = merchant.charge()
    merchant.actions.refund(charge.id, 200)
    merchant.actions.dispute(charge.id)

    books = merchant.actions.records()

    kinds = ("charge", "refund", "dispute", "checkout.session")
    assert {kind: books["counts"][kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert [one["id"] for one in books["charges"]] == [charge.id]
    assert [(one["amount"], one["charge"]) for one in books["refunds"]] == [(200, charge.id)]


@pytest.mark.parametrize(("warning", "end"), [(True, None), (False, "won")])
def test_an_inquiry_and_a_won_dispute_leave_something_to_refund(
    warning: bool, end: str | None, merchant: Merchant
) -> None:
    charge = merchant.charge()
    dispute = merchant.actions.dispute(charge.id, warning=warning)
    if end:
        merchant.actions.close_dispute(dispute["id"], end)

    assert merchant.api.refunds.create({"charge": charge.id}).status == "succeeded"


def test_a_disputed_charge_is_not_refunded(merchant: Merchant) -> None:
    charge = merchant.charge()
    merchant.actions.dispute(charge.id)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        merchant.api.refunds.create({"charge": charge.id})

    assert refusal.value.code == "charge_disputed"
    assert merchant.actions.records()["refunds"] == []


def test_a_pending_refund_arrives(merchant: Merchant) -> None:
    refund = merchant.actions.refund(merchant.charge().id, status="pending")
    mark = merchant.mark()

    assert merchant.actions.succeed_refund(refund["id"])["status"] == "succeeded"
    assert merchant.types(mark) == ["refund.updated"]
