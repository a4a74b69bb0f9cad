"""Invoices made by hand: their items, discounts, payment and end."""

from typing import Any

import pytest

from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_merchant import Merchant
from genvid.sandbox.tests.stripe_subjects import post

HOUR = 3600


def amounts(invoice: Any) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def test_items_wait_for_the_next_invoice_and_stand_on_it_once(merchant: Merchant) -> None:
    owner = subjects.payer(merchant)
    items = [subjects.item(merchant, owner, amount=amount)["id"] for amount in (2000, 300)]
    wanted = {"customer": owner, "pending_invoice_items_behavior": "include"}

    first, second = (post(merchant, "/v1/invoices", wanted) for _ in range(2))

    assert (amounts(first), first["amount_due"], first["status"]) == ([2000, 300], 2300, "draft")
    assert (amounts(second), second["amount_due"]) == ([], 0)
    assert [merchant.get(f"/v1/invoiceitems/{one}")["invoice"] for one in items] == [first["id"]] * 2
    assert [one["id"] for one in merchant.get("/v1/invoiceitems", invoice=first["id"])["data"]] == items[::-1]


def test_a_draft_invoices_amounts_follow_its_items(merchant: Merchant) -> None:
    owner = subjects.payer(merchant)
    draft = subjects.draft(merchant, owner)
    added = subjects.item(merchant, owner, amount=500, invoice=draft)["id"]
    post(merchant, f"/v1/invoiceitems/{added}", {"amount": 700})
    changed = merchant.get(f"/v1/invoices/{draft}")
    assert merchant.http.delete(f"/v1/invoiceitems/{added}").json()["deleted"]

    assert (amounts(changed), changed["total"]) == ([2000, 700], 2700)
    assert merchant.get(f"/v1/invoices/{draft}")["total"] == 2000


def test_a_draft_invoice_is_discounted_and_paid(merchant: Merchant) -> None:
    draft = subjects.draft(merchant, discounts=[{"coupon": subjects.coupon(merchant)}])

    paid = post(merchant, f"/v1/invoices/{draft}/pay")

    assert (paid["status"], paid["subtotal"], paid["amount_paid"]) == ("paid", 2000, 1500)
    assert [one["amount"] for one in merchant.get("/v1/charges", customer=paid["customer"])["data"]] == [1500]


def test_the_customers_balance_lowers_an_invoices_amount_due(merchant: Merchant) -> None:
    owner = subjects.payer(merchant)
    post(merchant, f"/v1/customers/{owner}", {"balance": -700})

    paid = post(merchant, f"/v1/invoices/{subjects.draft(merchant, owner)}/pay")

    assert (paid["amount_paid"], paid["starting_balance"], paid["ending_balance"]) == (1300, -700, 0)
    assert merchant.get(f"/v1/customers/{owner}")["balance"] == 0


def test_a_finalized_invoice_is_not_edited(merchant: Merchant) -> None:
    owed = subjects.owed(merchant)
    before = merchant.get(f"/v1/invoices/{owed}")

    answers = [
        merchant.http.post(f"/v1/invoices/{owed}", data={"description": "Other"}),
        merchant.http.post(f"/v1/invoices/{owed}/finalize"),
        merchant.http.delete(f"/v1/invoices/{owed}"),
        merchant.http.post(
            "/v1/invoiceitems",
            data={"customer": before["customer"], "amount": "5", "currency": "usd", "invoice": owed},
        ),
    ]

    assert [answer.status_code for answer in answers] == [400] * 4
    assert merchant.get(f"/v1/invoices/{owed}") == before


def test_a_deleted_draft_gives_its_items_back(merchant: Merchant) -> None:
    owner = subjects.payer(merchant)
    draft = subjects.draft(merchant, owner)

    assert merchant.http.delete(f"/v1/invoices/{draft}").json() == {"id": draft, "object": "invoice", "deleted": True}

    assert [one["invoice"] for one in merchant.get("/v1/invoiceitems", pending="true")["data"]] == [None]
    assert amounts(merchant.get(f"/v1/invoices/{subjects.draft(merchant, owner)}")) == [2000, 2000]


def test_an_advancing_draft_is_finalized_and_collected_after_an_hour(merchant: Merchant) -> None:
    draft = subjects.draft(merchant, auto_advance=True)
    merchant.actions.advance_clock(HOUR - 60)
    before = merchant.get(f"/v1/invoices/{draft}")["status"]

    merchant.actions.advance_clock(120)

    assert (before, merchant.get(f"/v1/invoices/{draft}")["status"]) == ("draft", "paid")


@pytest.mark.parametrize(("verb", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible")])
def test_a_void_or_uncollectible_invoice_has_its_status(verb: str, status: str, merchant: Merchant) -> None:
    ended = post(merchant, f"/v1/invoices/{subjects.owed(merchant)}/{verb}")

    assert (ended["status"], ended["amount_paid"], ended["next_payment_attempt"]) == (status, 0, None)


def test_a_pending_item_is_billed_with_the_subscription(merchant: Merchant) -> None:
    subscription = subjects.subscription(merchant)
    subjects.item(merchant, subscription["customer"], amount=300)

    invoice = merchant.actions.renew(subscription["id"])

    assert sorted(amounts(invoice)) == [300, 2000]
    assert invoice["amount_paid"] == 2300


def test_a_first_invoice_is_confirmed_with_its_secret(merchant: Merchant) -> None:
    waiting = {"payment_behavior": "default_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    made = subjects.subscription(merchant, **waiting)
    secret = made["latest_invoice"]["confirmation_secret"]
    intent = secret["client_secret"].partition("_secret_")[0]

    post(merchant, f"/v1/payment_intents/{intent}/confirm", {"payment_method": "pm_card_visa"})

    assert (secret["type"], made["status"]) == ("payment_intent", "incomplete")
    assert merchant.subscription(made["id"]).status == "active"
    assert merchant.get(f"/v1/invoices/{made['latest_invoice']['id']}")["status"] == "paid"


def test_a_draft_invoice_has_no_confirmation_secret(merchant: Merchant) -> None:
    opened = merchant.get(f"/v1/invoices/{subjects.draft(merchant)}", **{"expand[]": "confirmation_secret"})

    assert opened["confirmation_secret"] is None


def test_sent_invoices_leave_their_subscription_running(merchant: Merchant) -> None:
    owner = subjects.customer(merchant)
    made = subjects.subscription(merchant, customer=owner, collection_method="send_invoice", days_until_due=30)

    invoice = merchant.get(f"/v1/invoices/{made['latest_invoice']}")

    assert (made["status"], invoice["status"], invoice["attempted"]) == ("active", "open", False)
    assert invoice["due_date"] == invoice["created"] + 30 * 24 * HOUR
    assert "invoice.sent" in merchant.types()
