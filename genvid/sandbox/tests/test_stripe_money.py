import httpx
import pytest
import stripe

from genvid.sandbox.tests.stripe_shop import Shop


def refunded(shop: Shop, charge_id: str) -> tuple[int, bool]:
    charge = shop.api.charges.retrieve(charge_id)
    return charge.amount_refunded, charge.refunded


def test_a_charge_is_refunded_in_parts_and_then_wholly(shop: Shop) -> None:
    charge = shop.charge()

    first = shop.api.refunds.create({"charge": charge.id, "amount": 500, "reason": "requested_by_customer"})
    assert (first.status, first.amount, refunded(shop, charge.id)) == ("succeeded", 500, (500, False))
    rest = shop.api.refunds.create({"payment_intent": charge.payment_intent, "metadata": {"by": "staff"}})

    assert (rest.amount, rest.metadata["by"], refunded(shop, charge.id)) == (700, "staff", (1200, True))
    assert [one.id for one in shop.api.refunds.list({"charge": charge.id}).data] == [rest.id, first.id]
    assert shop.api.balance_transactions.retrieve(rest.balance_transaction).amount == -700


def test_a_refund_is_told_of_with_the_sum_before(shop: Shop) -> None:
    charge = shop.charge()
    mark = shop.mark()

    shop.pull.refund(charge.id, 500)

    events = shop.pull.events(mark)
    assert [event["type"] for event in events] == ["refund.created", "charge.refunded"]
    assert events[1]["data"]["object"]["amount_refunded"] == 500
    assert events[1]["data"]["previous_attributes"] == {"amount_refunded": 0}


def test_no_more_is_refunded_than_was_paid(shop: Shop) -> None:
    charge = shop.charge()

    with pytest.raises(stripe.InvalidRequestError, match=r"\(\$13.00\) is greater than unrefunded amount"):
        shop.api.refunds.create({"charge": charge.id, "amount": 1300})
    shop.pull.refund(charge.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.refunds.create({"charge": charge.id})

    assert refusal.value.code == "charge_already_refunded"
    assert len(shop.pull.books()["refunds"]) == 1


def test_a_refund_that_fails_lowers_what_is_refunded(shop: Shop) -> None:
    charge = shop.charge()
    refund = shop.pull.refund(charge.id)
    mark = shop.mark()

    failed = shop.pull.fail_refund(refund["id"])

    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert refunded(shop, charge.id) == (0, False)
    assert shop.types(mark) == ["refund.updated", "charge.refund.updated", "refund.failed"]


@pytest.mark.parametrize(("status", "amount"), [("succeeded", 1200), ("pending", 1200), ("failed", 0), ("canceled", 0)])
def test_a_refund_of_any_status_counts_as_stripe_counts_it(status: str, amount: int, shop: Shop) -> None:
    charge = shop.charge()

    refund = shop.pull.refund(charge.id, status=status)

    assert (refund["status"], refunded(shop, charge.id)[0]) == (status, amount)


def test_a_pending_refund_can_be_canceled(shop: Shop) -> None:
    refund = shop.pull.refund(shop.charge().id, status="pending")

    assert shop.api.refunds.cancel(refund["id"]).status == "canceled"


def test_a_dispute_takes_the_money_and_a_fee(shop: Shop) -> None:
    charge = shop.charge()
    mark = shop.mark()

    dispute = shop.pull.dispute(charge.payment_intent, 700, reason="product_not_received")

    assert (dispute["amount"], dispute["reason"], dispute["status"]) == (700, "product_not_received", "needs_response")
    assert [(one["amount"], one["fee"]) for one in dispute["balance_transactions"]] == [(-700, 1500)]
    assert shop.api.charges.retrieve(charge.id).disputed is True
    assert shop.types(mark) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(
    ("warning", "end", "status", "amounts", "told"),
    [
        (False, "won", "won", [-1200, 1200], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        (False, "lost", "lost", [-1200], ["charge.dispute.closed"]),
        (True, "lost", "warning_closed", [], ["charge.dispute.closed"]),
    ],
)
def test_a_dispute_ends(warning: bool, end: str, status: str, amounts: list[int], told: list[str], shop: Shop) -> None:
    dispute = shop.pull.dispute(shop.charge().id, warning=warning)
    mark = shop.mark()

    closed = shop.pull.close_dispute(dispute["id"], end)

    assert (closed["status"], [one["amount"] for one in closed["balance_transactions"]]) == (status, amounts)
    assert shop.types(mark) == told
    with pytest.raises(httpx.HTTPStatusError, match="already closed"):
        shop.pull.close_dispute(dispute["id"])


def test_an_accepted_dispute_is_lost(shop: Shop) -> None:
    charge = shop.charge()
    dispute = shop.pull.dispute(charge.id)

    assert shop.api.disputes.close(dispute["id"]).status == "lost"
    assert [one.id for one in shop.api.disputes.list({"payment_intent": charge.payment_intent}).data] == [dispute["id"]]


def test_a_fraud_warning_names_its_charge(shop: Shop) -> None:
    charge = shop.charge()

    warning = shop.pull.fraud_warning(charge.payment_intent)

    found = shop.api.radar.early_fraud_warnings.retrieve(warning["id"])
    assert (found.charge, found.payment_intent, found.actionable) == (charge.id, charge.payment_intent, True)


def test_an_unpaid_charge_is_neither_refunded_nor_disputed(shop: Shop) -> None:
    shop.buy("4000000000000002")
    failed = shop.pull.books()["charges"][0]["id"]

    with pytest.raises(httpx.HTTPStatusError, match="has not been paid"):
        shop.pull.refund(failed)
    with pytest.raises(httpx.HTTPStatusError, match="has not been paid"):
        shop.pull.dispute(failed)


def test_the_books_list_what_a_ledger_is_compared_with(shop: Shop) -> None:
    charge = shop.charge()
    shop.pull.refund(charge.id, 200)
    shop.pull.dispute(charge.id)

    books = shop.pull.books()

    kinds = ("charge", "refund", "dispute", "checkout.session")
    assert {kind: books["counts"][kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert [one["id"] for one in books["charges"]] == [charge.id]
    assert [(one["amount"], one["charge"]) for one in books["refunds"]] == [(200, charge.id)]


@pytest.mark.parametrize(("warning", "end"), [(True, None), (False, "won")])
def test_an_inquiry_and_a_won_dispute_leave_something_to_refund(warning: bool, end: str | None, shop: Shop) -> None:
    charge = shop.charge()
    dispute = shop.pull.dispute(charge.id, warning=warning)
    if end:
        shop.pull.close_dispute(dispute["id"], end)

    assert shop.api.refunds.create({"charge": charge.id}).status == "succeeded"


def test_what_was_charged_back_is_not_refunded(shop: Shop) -> None:
    charge = shop.charge()
    shop.pull.dispute(charge.id)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.refunds.create({"charge": charge.id})

    assert refusal.value.code == "charge_disputed"
    assert shop.pull.books()["refunds"] == []


def test_a_pending_refund_arrives(shop: Shop) -> None:
    refund = shop.pull.refund(shop.charge().id, status="pending")
    mark = shop.mark()

    assert shop.pull.succeed_refund(refund["id"])["status"] == "succeeded"
    assert shop.types(mark) == ["refund.updated"]
