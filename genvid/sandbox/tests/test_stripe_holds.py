"""Money that is only held, debits that settle later, subscriptions that pause, and what is not taken at all."""

from typing import Any

import pytest

from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_shop import SUCCESS, Shop
from genvid.sandbox.tests.stripe_subjects import flat, post

DAY = 24 * 3600
FEE = 30


def intent(shop: Shop, intent_id: str) -> Any:
    return shop.get(f"/v1/payment_intents/{intent_id}", **{"expand[]": "latest_charge"})


def money(shop: Shop) -> list[tuple[str, int]]:
    return [(one["type"], one["amount"]) for one in shop.get("/v1/balance_transactions")["data"]]


def test_a_held_payment_moves_no_money_until_it_is_captured(shop: Shop) -> None:
    held = intent(shop, subjects.held(shop))
    before = money(shop)

    captured = post(shop, f"/v1/payment_intents/{held['id']}/capture")

    assert (held["status"], held["amount_capturable"], held["amount_received"]) == ("requires_capture", 500, 0)
    assert (held["latest_charge"]["captured"], held["latest_charge"]["amount_captured"]) == (False, 0)
    assert (before, money(shop)) == ([], [("charge", 500)])
    assert (captured["status"], captured["amount_received"], captured["amount_capturable"]) == ("succeeded", 500, 0)
    assert "payment_intent.amount_capturable_updated" in shop.types()
    assert shop.types()[-3:] == ["charge.captured", "payment_intent.succeeded", "charge.updated"]


def test_a_part_is_captured_and_only_that_is_refunded(shop: Shop) -> None:
    held = subjects.held(shop)
    post(shop, f"/v1/payment_intents/{held}/capture", {"amount_to_capture": 300})

    refund = post(shop, "/v1/refunds", {"payment_intent": held})

    charge = intent(shop, held)["latest_charge"]
    assert (refund["amount"], charge["amount_captured"], charge["refunded"]) == (300, 300, True)


def test_a_canceled_hold_lets_go(shop: Shop) -> None:
    held = subjects.held(shop)

    canceled = post(shop, f"/v1/payment_intents/{held}/cancel", {"cancellation_reason": "abandoned"})

    assert (canceled["status"], canceled["amount_capturable"], money(shop)) == ("canceled", 0, [])
    assert intent(shop, held)["latest_charge"]["refunded"] is True


@pytest.mark.parametrize("form", [{"amount_to_capture": "501"}, {"amount_to_capture": "0"}, {"final_capture": "false"}])
def test_a_capture_that_makes_no_sense_is_refused(form: dict[str, str], shop: Shop) -> None:
    held = subjects.held(shop)
    before = intent(shop, held)

    answer = shop.http.post(f"/v1/payment_intents/{held}/capture", data=form)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(form)))
    assert intent(shop, held) == before


def test_what_is_not_held_is_not_captured(shop: Shop) -> None:
    answer = shop.http.post(f"/v1/payment_intents/{subjects.paid(shop)['id']}/capture")

    assert answer.json()["error"]["code"] == "payment_intent_unexpected_state"


def test_a_held_session_is_paid_when_it_is_captured(shop: Shop) -> None:
    session = shop.buy(payment_intent_data={"capture_method": "manual"})

    post(shop, f"/v1/payment_intents/{session['payment_intent']}/capture")

    assert session["payment_status"] == "unpaid"
    assert shop.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("account", "told", "status"),
    [
        ("pm_usBankAccount_success", "checkout.session.async_payment_succeeded", "paid"),
        ("pm_usBankAccount_insufficientFunds", "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_debit_settles_by_itself_days_later(account: str, told: str, status: str, shop: Shop) -> None:
    session = subjects.session(shop, customer=shop.customer)
    post(shop, f"/v1/payment_pages/{session['id']}/confirm", {"payment_method": account})
    shop.pull.advance_clock(3 * DAY)
    early = shop.types()

    shop.pull.advance_clock(2 * DAY)

    assert told not in early
    assert shop.types().count(told) == 1
    assert shop.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == status


@pytest.mark.parametrize("types", [["card"], ["us_bank_account"]])
def test_a_session_takes_only_its_payment_methods(types: list[str], shop: Shop) -> None:
    session = subjects.session(shop, customer=shop.customer, payment_method_types=types)
    other = "pm_usBankAccount_success" if types == ["card"] else "pm_card_visa"

    answer = shop.http.post(f"/v1/payment_pages/{session['id']}/confirm", data={"payment_method": other})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "payment_method")
    assert shop.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open"


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("payment_methods", {"type": "sepa_debit"}, "type"),
        ("payment_methods", {"type": "nonsense"}, "type"),
        ("payment_methods", {"type": "card", "card": {"token": "tok_nonsense"}}, "card[token]"),
        ("payment_intents", {"amount": 500, "currency": "zzz"}, "currency"),
        ("payment_intents", {"amount": 500, "currency": "usd", "payment_method_types": ["sepa_debit"]}, None),
        ("payment_intents", {"amount": 500, "currency": "usd", "payment_method_types": "card"}, "payment_method_types"),
        ("payment_intents", {"amount": 500, "currency": "usd", "shipping": "home"}, "shipping"),
        (
            "payment_intents",
            {
                "amount": 500,
                "currency": "usd",
                "payment_method_types": ["us_bank_account"],
                "payment_method": "pm_card_visa",
            },
            "payment_method",
        ),
        (
            "payment_intents",
            {
                "amount": 500,
                "currency": "usd",
                "payment_method_types": ["us_bank_account"],
                "capture_method": "manual",
            },
            "capture_method",
        ),
        ("checkout/sessions", {"mode": "setup", "success_url": SUCCESS, "currency": "zzz"}, "currency"),
        (
            "checkout/sessions",
            {"mode": "setup", "success_url": SUCCESS, "payment_method_types": ["us_bank_account"]},
            "payment_method_types",
        ),
        ("coupons", {"amount_off": 5, "currency": "zzz"}, "currency"),
        ("prices", {"currency": "zzz", "unit_amount": 5, "product_data": {"name": "A"}}, "currency"),
        ("prices", {"currency": "usd", "unit_amount_decimal": "0.5", "product_data": {"name": "A"}}, None),
        ("invoices", {"customer": "cus_nobody"}, "customer"),
    ],
)
def test_what_is_not_known_here_is_refused(path: str, form: dict[str, Any], param: str | None, shop: Shop) -> None:
    answer = shop.http.post(f"/v1/{path}", data=flat(form))

    expected = param or {"payment_intents": "payment_method_types[0]", "prices": "unit_amount_decimal"}[path]
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, expected)
    assert shop.pull.books()["counts"] == {}


def test_a_subscription_can_end_with_its_first_period(shop: Shop) -> None:
    made = subjects.subscription(shop, cancel_at_period_end=True)

    shop.pull.end_period(made["id"])

    assert (made["cancel_at_period_end"], made["status"]) == (True, "active")
    assert shop.subscription(made["id"]).status == "canceled"


def test_a_trial_without_a_card_pauses_and_resumes_when_it_is_paid(shop: Shop) -> None:
    paused = subjects.paused(shop)
    before = shop.subscription(paused).status

    resumed = post(shop, f"/v1/subscriptions/{paused}/resume")

    assert (before, resumed["status"]) == ("paused", "active")
    assert shop.latest_invoice(paused).amount_paid == 2000
    assert "customer.subscription.resumed" in shop.types()


def test_an_unpaid_resumption_stays_paused(shop: Shop) -> None:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
    made = subjects.subscription(shop, customer=subjects.customer(shop), **trial)
    shop.pull.advance_clock(8 * DAY)

    resumed = post(shop, f"/v1/subscriptions/{made['id']}/resume")

    assert resumed["status"] == "paused"
    assert "customer.subscription.resumed" not in shop.types()


def test_a_trial_without_a_card_can_end_the_subscription(shop: Shop) -> None:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}}
    made = subjects.subscription(shop, customer=subjects.customer(shop), **trial)

    shop.pull.advance_clock(8 * DAY)

    assert shop.subscription(made["id"]).status == "canceled"


@pytest.mark.parametrize(
    "limits", [{"minimum_amount": 1300, "minimum_amount_currency": "usd"}, {"first_time_transaction": True}]
)
def test_a_restricted_code_is_only_for_whom_it_is_for(limits: dict[str, Any], shop: Shop) -> None:
    shop.charge()
    code = subjects.promotion_code(shop, code="ONLY", restrictions=limits)
    form = {"mode": "payment", "customer": shop.customer, "success_url": SUCCESS}
    items = {"line_items": [{"price": shop.pack, "quantity": 1}]}

    refused = shop.http.post(
        "/v1/checkout/sessions", data=flat({**form, **items, "discounts": [{"promotion_code": code}]})
    )

    assert refused.json()["error"]["code"] == "promotion_code_invalid"
