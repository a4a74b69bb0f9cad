"""Invoices made by hand: their items, discounts, payment and end."""

from typing import Any

import pytest

from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_shop import Shop
from genvid.sandbox.tests.stripe_subjects import post

HOUR = 3600


def amounts(invoice: Any) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def test_items_wait_for_the_next_invoice_and_stand_on_it_once(shop: Shop) -> None:
    owner = subjects.payer(shop)
    items = [subjects.item(shop, owner, amount=amount)["id"] for amount in (2000, 300)]
    wanted = {"customer": owner, "pending_invoice_items_behavior": "include"}

    first, second = (post(shop, "/v1/invoices", wanted) for _ in range(2))

    assert (amounts(first), first["amount_due"], first["status"]) == ([2000, 300], 2300, "draft")
    assert (amounts(second), second["amount_due"]) == ([], 0)
    assert [shop.get(f"/v1/invoiceitems/{one}")["invoice"] for one in items] == [first["id"]] * 2
    assert [one["id"] for one in shop.get("/v1/invoiceitems", invoice=first["id"])["data"]] == items[::-1]


def test_a_draft_is_worked_out_anew_when_its_items_change(shop: Shop) -> None:
    owner = subjects.payer(shop)
    draft = subjects.draft(shop, owner)
    added = subjects.item(shop, owner, amount=500, invoice=draft)["id"]
    post(shop, f"/v1/invoiceitems/{added}", {"amount": 700})
    changed = shop.get(f"/v1/invoices/{draft}")
    assert shop.http.delete(f"/v1/invoiceitems/{added}").json()["deleted"]

    assert (amounts(changed), changed["total"]) == ([2000, 700], 2700)
    assert shop.get(f"/v1/invoices/{draft}")["total"] == 2000


def test_a_draft_is_reduced_and_paid(shop: Shop) -> None:
    draft = subjects.draft(shop, discounts=[{"coupon": subjects.coupon(shop)}])

    paid = post(shop, f"/v1/invoices/{draft}/pay")

    assert (paid["status"], paid["subtotal"], paid["amount_paid"]) == ("paid", 2000, 1500)
    assert [one["amount"] for one in shop.get("/v1/charges", customer=paid["customer"])["data"]] == [1500]


def test_the_customers_balance_lowers_it(shop: Shop) -> None:
    owner = subjects.payer(shop)
    post(shop, f"/v1/customers/{owner}", {"balance": -700})

    paid = post(shop, f"/v1/invoices/{subjects.draft(shop, owner)}/pay")

    assert (paid["amount_paid"], paid["starting_balance"], paid["ending_balance"]) == (1300, -700, 0)
    assert shop.get(f"/v1/customers/{owner}")["balance"] == 0


def test_a_finalized_invoice_is_not_edited(shop: Shop) -> None:
    owed = subjects.owed(shop)
    before = shop.get(f"/v1/invoices/{owed}")

    answers = [
        shop.http.post(f"/v1/invoices/{owed}", data={"description": "Other"}),
        shop.http.post(f"/v1/invoices/{owed}/finalize"),
        shop.http.delete(f"/v1/invoices/{owed}"),
        shop.http.post(
            "/v1/invoiceitems",
            data={"customer": before["customer"], "amount": "5", "currency": "usd", "invoice": owed},
        ),
    ]

    assert [answer.status_code for answer in answers] == [400] * 4
    assert shop.get(f"/v1/invoices/{owed}") == before


def test_a_deleted_draft_gives_its_items_back(shop: Shop) -> None:
    owner = subjects.payer(shop)
    draft = subjects.draft(shop, owner)

    assert shop.http.delete(f"/v1/invoices/{draft}").json() == {"id": draft, "object": "invoice", "deleted": True}

    assert [one["invoice"] for one in shop.get("/v1/invoiceitems", pending="true")["data"]] == [None]
    assert amounts(shop.get(f"/v1/invoices/{subjects.draft(shop, owner)}")) == [2000, 2000]


def test_an_advancing_draft_is_finalized_and_collected_after_an_hour(shop: Shop) -> None:
    draft = subjects.draft(shop, auto_advance=True)
    shop.pull.advance_clock(HOUR - 60)
    before = shop.get(f"/v1/invoices/{draft}")["status"]

    shop.pull.advance_clock(120)

    assert (before, shop.get(f"/v1/invoices/{draft}")["status"]) == ("draft", "paid")


@pytest.mark.parametrize(("verb", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible")])
def test_what_is_given_up_says_so(verb: str, status: str, shop: Shop) -> None:
    ended = post(shop, f"/v1/invoices/{subjects.owed(shop)}/{verb}")

    assert (ended["status"], ended["amount_paid"], ended["next_payment_attempt"]) == (status, 0, None)


def test_a_pending_item_is_billed_with_the_subscription(shop: Shop) -> None:
    subscription = subjects.subscription(shop)
    subjects.item(shop, subscription["customer"], amount=300)

    invoice = shop.pull.renew(subscription["id"])

    assert sorted(amounts(invoice)) == [300, 2000]
    assert invoice["amount_paid"] == 2300


def test_a_first_invoice_is_confirmed_with_its_secret(shop: Shop) -> None:
    waiting = {"payment_behavior": "default_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    made = subjects.subscription(shop, **waiting)
    secret = made["latest_invoice"]["confirmation_secret"]
    intent = secret["client_secret"].partition("_secret_")[0]

    post(shop, f"/v1/payment_intents/{intent}/confirm", {"payment_method": "pm_card_visa"})

    assert (secret["type"], made["status"]) == ("payment_intent", "incomplete")
    assert shop.subscription(made["id"]).status == "active"
    assert shop.get(f"/v1/invoices/{made['latest_invoice']['id']}")["status"] == "paid"


def test_a_draft_has_no_secret(shop: Shop) -> None:
    opened = shop.get(f"/v1/invoices/{subjects.draft(shop)}", **{"expand[]": "confirmation_secret"})

    assert opened["confirmation_secret"] is None


def test_sent_invoices_leave_their_subscription_running(shop: Shop) -> None:
    owner = subjects.customer(shop)
    made = subjects.subscription(shop, customer=owner, collection_method="send_invoice", days_until_due=30)

    invoice = shop.get(f"/v1/invoices/{made['latest_invoice']}")

    assert (made["status"], invoice["status"], invoice["attempted"]) == ("active", "open", False)
    assert invoice["due_date"] == invoice["created"] + 30 * 24 * HOUR
    assert "invoice.sent" in shop.types()
