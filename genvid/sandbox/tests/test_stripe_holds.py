"""Authorizations, bank debits, paused subscriptions and unsupported parameters."""

from typing import Any

import pytest

from genvid.sandbox.tests import stripe_subjects as subjects
from genvid.sandbox.tests.stripe_merchant import SUCCESS, Merchant
from genvid.sandbox.tests.stripe_subjects import flat, post

DAY = 24 * 3600
FEE = 30


def intent(merchant: Merchant, intent_id: str) -> Any:
    return merchant.get(f"/v1/payment_intents/{intent_id}", **{"expand[]": "latest_charge"})


def money(merchant: Merchant) -> list[tuple[str, int]]:
    return [(one["type"], one["amount"]) for one in merchant.get("/v1/balance_transactions")["data"]]


def test_a_held_payment_moves_no_money_until_it_is_captured(merchant: Merchant) -> None:
    held = intent(merchant, subjects.held(merchant))
    before = money(merchant)

    captured = post(merchant, f"/v1/payment_intents/{held['id']}/capture")

    assert (held["status"], held["amount_capturable"], held["amount_received"]) == ("requires_capture", 500, 0)
    assert (held["latest_charge"]["captured"], held["latest_charge"]["amount_captured"]) == (False, 0)
    assert (before, money(merchant)) == ([], [("charge", 500)])
    assert (captured["status"], captured["amount_received"], captured["amount_capturable"]) == ("succeeded", 500, 0)
    assert "payment_intent.amount_capturable_updated" in merchant.types()
    assert merchant.types()[-3:] == ["charge.captured", "payment_intent.succeeded", "charge.updated"]


def test_a_part_is_captured_and_only_that_is_refunded(merchant: Merchant) -> None:
    held = subjects.held(merchant)
    post(merchant, f"/v1/payment_intents/{held}/capture", {"amount_to_capture": 300})

    refund = post(merchant, "/v1/refunds", {"payment_intent": held})

    charge = intent(merchant, held)["latest_charge"]
    assert (refund["amount"], charge["amount_captured"], charge["refunded"]) == (300, 300, True)


def test_a_canceled_authorization_releases_the_money(merchant: Merchant) -> None:
    held = subjects.held(merchant)

    canceled = post(merchant, f"/v1/payment_intents/{held}/cancel", {"cancellation_reason": "abandoned"})

    assert (canceled["status"], canceled["amount_capturable"], money(merchant)) == ("canceled", 0, [])
    assert intent(merchant, held)["latest_charge"]["refunded"] is True


@pytest.mark.parametrize("form", [{"amount_to_capture": "501"}, {"amount_to_capture": "0"}, {"final_capture": "false"}])
def test_an_invalid_capture_is_refused(form: dict[str, str], merchant: Merchant) -> None:
    held = subjects.held(merchant)
    before = intent(merchant, held)

    answer = merchant.http.post(f"/v1/payment_intents/{held}/capture", data=form)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(form)))
    assert intent(merchant, held) == before


def test_a_payment_without_an_authorization_is_not_captured(merchant: Merchant) -> None:
    answer = merchant.http.post(f"/v1/payment_intents/{subjects.paid(merchant)['id']}/capture")

    assert answer.json()["error"]["code"] == "payment_intent_unexpected_state"


def test_a_held_session_is_paid_when_it_is_captured(merchant: Merchant) -> None:
    session = merchant.buy(payment_intent_data={"capture_method": "manual"})

    post(merchant, f"/v1/payment_intents/{session['payment_intent']}/capture")

    assert session["payment_status"] == "unpaid"
    assert merchant.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("account", "event", "status"),
    [
        ("pm_usBankAccount_success", "checkout.session.async_payment_succeeded", "paid"),
        ("pm_usBankAccount_insufficientFunds", "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_debit_settles_by_itself_days_later(account: str, event: str, status: str, merchant: Merchant) -> None:
    session = subjects.session(merchant, customer=merchant.customer)
    post(merchant, f"/v1/payment_pages/{session['id']}/confirm", {"payment_method": account})
    merchant.actions.advance_clock(3 * DAY)
    early = merchant.types()

    merchant.actions.advance_clock(2 * DAY)

    assert event not in early
    assert merchant.types().count(event) == 1
    assert merchant.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == status


@pytest.mark.parametrize("types", [["card"], ["us_bank_account"]])
def test_a_session_takes_only_its_payment_methods(types: list[str], merchant: Merchant) -> None:
    session = subjects.session(merchant, customer=merchant.customer, payment_method_types=types)
    other = "pm_usBankAccount_success" if types == ["card"] else "pm_card_visa"

    answer = merchant.http.post(f"/v1/payment_pages/{session['id']}/confirm", data={"payment_method": other})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "payment_method")
    assert merchant.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open"


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
def test_an_unsupported_parameter_is_refused(
    path: str, form: dict[str, Any], param: str | None, merchant: Merchant
) -> None:
    answer = merchant.http.post(f"/v1/{path}", data=flat(form))

    expected = param or {"payment_intents": "payment_method_types[0]", "prices": "unit_amount_decimal"}[path]
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, expected)
    assert merchant.actions.records()["counts"] == {}


def test_a_subscription_can_end_with_its_first_period(merchant: Merchant) -> None:
    made = subjects.subscription(merchant, cancel_at_period_end=True)

    merchant.actions.end_period(made["id"])

    assert (made["cancel_at_period_end"], made["status"]) == (True, "active")
    assert merchant.subscription(made["id"]).status == "canceled"


def test_a_trial_without_a_card_pauses_and_resumes_when_it_is_paid(merchant: Merchant) -> None:
    paused = subjects.paused(merchant)
    before = merchant.subscription(paused).status

    resumed = post(merchant, f"/v1/subscriptions/{paused}/resume")

    assert (before, resumed["status"]) == ("paused", "active")
    assert merchant.latest_invoice(paused).amount_paid == 2000
    assert "customer.subscription.resumed" in merchant.types()


def test_an_unpaid_resumption_stays_paused(merchant: Merchant) -> None:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}
    made = subjects.subscription(merchant, customer=subjects.customer(merchant), **trial)
    merchant.actions.advance_clock(8 * DAY)

    resumed = post(merchant, f"/v1/subscriptions/{made['id']}/resume")

    assert resumed["status"] == "paused"
    assert "customer.subscription.resumed" not in merchant.types()


def test_a_trial_without_a_card_can_end_the_subscription(merchant: Merchant) -> None:
    trial = {"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}}
    made = subjects.subscription(merchant, customer=subjects.customer(merchant), **trial)

    merchant.actions.advance_clock(8 * DAY)

    assert merchant.subscription(made["id"]).status == "canceled"


@pytest.mark.parametrize(
    "limits", [{"minimum_amount": 1300, "minimum_amount_currency": "usd"}, {"first_time_transaction": True}]
)
def test_a_restricted_promotion_code_is_refused_outside_its_restrictions(
    limits: dict[str, Any], merchant: Merchant
) -> None:
    merchant.charge()
    code = subjects.promotion_code(merchant, code="ONLY", restrictions=limits)
    form = {"mode": "payment", "customer": merchant.customer, "success_url": SUCCESS}
    items = {"line_items": [{"price": merchant.pack, "quantity": 1}]}

    refused = merchant.http.post(
        "/v1/checkout/sessions", data=flat({**form, **items, "discounts": [{"promotion_code": code}]})
    )

    assert refused.json()["error"]["code"] == "promotion_code_invalid"
