"""The price list, checkouts and the customer portal in the API."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from accounts.enums import Role
from accounts.idempotency import WINDOW
from accounts.models import IdempotencyRecord
from billing.models import Checkout, Customer, Payment, Plan, PlanPrice
from billing.purchases import stripe_prices
from billing.stripe import stripe_client
from billing.tests.shop import CHECKOUT, plan
from genvid.tests.asserts import data_of, nothing_changes, queries_once_warm, refusal_of
from genvid.tests.factories import make_caller, make_checkout, make_key, make_payment, make_teammate
from genvid.tests.process_death import STORED_ANSWER, killed_at

pytestmark = pytest.mark.django_db
PLANS, PORTAL, TOP_UP = "/api/v1/billing/plans", "/api/v1/billing/portal", "/api/v1/billing/auto-top-up"
STRANGE = "00000000-0000-4000-8000-000000000000"


def order(code: str = "pack-100", **more) -> dict:
    return {"plan_id": str(plan(code).pk), **more}


@pytest.fixture
def quick_to_give_up(monkeypatch):
    """No retries of Stripe's SDK."""
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    yield
    stripe_client._client.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_stripe_is_asked(shop, monkeypatch):
    owner, asked, request = make_caller(), [], requests.Session.request
    shop.buy(owner, "pack-100")

    def note(*args: Any, **options: Any) -> Any:
        asked.append(connection.in_atomic_block)
        return request(*args, **options)

    monkeypatch.setattr(requests.Session, "request", note)
    data_of(owner.client.post(CHECKOUT, order("pack-500"), HTTP_IDEMPOTENCY_KEY="a"), 201)
    by_checkout = len(asked)
    data_of(owner.client.post(PORTAL, HTTP_IDEMPOTENCY_KEY="b"), 201)
    assert (0 < by_checkout < len(asked), set(asked)) == (True, {False})


# ── The price list


def test_the_price_list_is_what_staff_seeded(owner):
    shown = [(each["code"], each["amount"], each["credits"]) for each in data_of(owner.client.get(PLANS))]
    assert shown == [
        ("starter-month", 1900, 170),
        ("pro-month", 4900, 480),
        ("business-month", 9900, 1050),
        ("starter-year", 19000, 170),
        ("pro-year", 49000, 480),
        ("business-year", 99000, 1050),
        ("pack-100", 1200, 100),
        ("pack-500", 5500, 500),
        ("pack-2000", 20000, 2000),
    ]


def test_a_plan_is_shown_with_all_its_fields(owner):
    (shown,) = [each for each in data_of(owner.client.get(PLANS)) if each["code"] == "pack-500"]
    assert shown == {
        "id": str(plan("pack-500").pk),
        "code": "pack-500",
        "name": "500 credits",
        "kind": "pack",
        "interval": None,
        "amount": 5500,
        "currency": "usd",
        "credits": 500,
        "trial_days": 0,
        "features": ["Good for 12 months"],
    }


def test_an_inactive_plan_is_not_listed(owner):
    Plan.objects.filter(code="pack-100").update(is_active=False)
    assert "pack-100" not in {each["code"] for each in data_of(owner.client.get(PLANS))}


@pytest.mark.parametrize("path", [PLANS, "/api/v1/billing/payments", "/api/v1/billing/invoices"])
def test_more_rows_take_no_more_queries(owner, path):
    make_payment(owner)
    with_one = queries_once_warm(lambda: owner.client.get(path))
    make_payment(owner)
    make_payment(owner)
    assert (with_one, queries_once_warm(lambda: owner.client.get(path))) == (1, 1)


# ── Starting a purchase


def test_checkout_answers_with_stripes_page_and_the_session(shop, owner):
    begun = data_of(owner.client.post(CHECKOUT, order()), 201)
    assert set(begun) == {"checkout_url", "session_id"}
    assert begun["checkout_url"].endswith(f"/pay/{begun['session_id']}")


def test_the_buyer_returns_to_the_requested_addresses(shop, owner, settings):
    settings.CHECKOUT_RETURN_ORIGINS = ["https://shop.example.com"]
    back = "https://shop.example.com/thanks?s={CHECKOUT_SESSION_ID}"
    session_id = shop.open_checkout(owner, "pack-100", success_url=back, cancel_url="https://shop.example.com/")
    (session,) = [each for each in shop.stripe.records()["sessions"] if each["id"] == session_id]
    assert (session["success_url"], session["cancel_url"]) == (back, "https://shop.example.com/")


@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "http://127.0.0.1:8000.evil.example.com/",
        "http://127.0.0.1:8000@evil.example.com/",
        "//evil.example.com/",
        "javascript:alert(1)",
        "http://127.0.0.1:8000\\@evil.example.com/",
        "/only/a/path",
    ],
)
def test_return_addresses_of_other_origins_are_refused(owner, name, url):
    with nothing_changes():
        answer = owner.client.post(CHECKOUT, order(**{name: url}))
    assert (refusal_of(answer), list(answer.json()["error"]["details"])) == ((400, "validation_error"), [name])


@pytest.mark.parametrize("plan_id", [STRANGE, "pack-100", "", None, 7])
def test_an_unknown_plan_is_refused_on_its_field(owner, plan_id):
    with nothing_changes():
        answer = owner.client.post(CHECKOUT, {"plan_id": plan_id})
    assert (refusal_of(answer), list(answer.json()["error"]["details"])) == ((400, "validation_error"), ["plan_id"])


def test_a_plan_that_is_not_for_sale_is_refused(owner):
    Plan.objects.filter(code="pack-100").update(is_active=False)
    assert refusal_of(owner.client.post(CHECKOUT, order())) == (400, "validation_error")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
def test_only_owners_and_admins_spend(owner, role, path):
    person = make_teammate(owner, role)
    with nothing_changes():
        answer = person.client.post(path, order() if path == CHECKOUT else None)
    assert refusal_of(answer) == (403, "permission_denied")


def test_an_admin_spends_for_the_account(shop, owner):
    admin = make_teammate(owner, Role.ADMIN)
    shop.open_checkout(admin, "pack-100")
    assert (Checkout.objects.get().account, Customer.objects.get().account) == (owner.account, owner.account)


def test_a_test_key_spends_nothing(owner, settings):
    settings.TEST_RENDERER_URL = "http://127.0.0.1:9"
    program = make_key(owner, "billing:write", mode="test")
    assert refusal_of(program.client.post(CHECKOUT, order())) == (403, "permission_denied")
    assert refusal_of(program.client.post(PORTAL)) == (403, "permission_denied")


# ── Idempotency


def test_one_idempotency_key_opens_one_page(shop, owner):
    first, second = (owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert data_of(first, 201) == data_of(second, 201)
    assert (second["Idempotent-Replayed"], Checkout.objects.count()) == ("true", 1)


@pytest.mark.parametrize("words", ['UPDATE "billing_checkout"', STORED_ANSWER])
def test_a_request_repeated_after_its_process_died_gets_the_first_page(shop, owner, words):
    with killed_at(words):
        owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"})
    begun = data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}), 201)
    (session,) = shop.stripe.records()["sessions"]
    assert (begun["session_id"], Checkout.objects.get().stripe_session_id) == (session["id"], session["id"])


def test_a_price_that_changed_since_its_process_died_opens_no_second_page(shop, owner):
    with killed_at(STORED_ANSWER):
        owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"})
    Plan.objects.filter(code="pack-100").update(amount=1300)
    begun = data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}), 201)
    assert [each["id"] for each in shop.stripe.records()["sessions"]] == [begun["session_id"]]


def test_a_price_that_is_no_longer_sold_is_replaced_when_a_request_that_failed_is_repeated(shop, owner, sandbox):
    sandbox.fault(method="POST", path="/v1/checkout/sessions", status=503, times=10)
    first = plan("pack-100").prices.get(is_current=True)
    answer = owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"})
    assert refusal_of(answer) == (503, "provider_unavailable")
    sandbox.clear_faults()
    Plan.objects.filter(code="pack-100").update(amount=1300)
    stripe_prices.push_plans()
    begun = data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}), 201)
    (session,) = shop.stripe.records()["sessions"]
    row = Checkout.objects.get()
    assert (session["id"], session["amount_total"]) == (begun["session_id"], 1300)
    assert (row.stripe_session_id, row.price.is_current, row.price != first) == (begun["session_id"], True, True)


def test_a_key_of_yesterday_starts_another_purchase_that_can_be_followed(shop, owner):
    first = data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}), 201)
    IdempotencyRecord.objects.update(created_at=timezone.now() - WINDOW - timedelta(seconds=1))
    second = data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "once"}), 201)
    assert (first["session_id"] != second["session_id"], Checkout.objects.count()) == (True, 2)
    assert data_of(owner.client.get(f"{CHECKOUT}/{second['session_id']}"))["status"] == "open"


def test_another_idempotency_key_starts_another_purchase(shop, owner):
    pages = {
        data_of(owner.client.post(CHECKOUT, order(), headers={"Idempotency-Key": key}), 201)["session_id"]
        for key in ("one", "two")
    }
    assert (len(pages), Checkout.objects.count()) == (2, 2)


def test_idempotency_keys_of_different_accounts_are_separate(shop, owner, outsider):
    pages = {
        data_of(each.client.post(CHECKOUT, order(), headers={"Idempotency-Key": "same"}), 201)["session_id"]
        for each in (owner, outsider)
    }
    assert len(pages) == 2


# ── Stripe's failures


def test_checkout_answers_503_while_stripe_does_not_answer(owner, quick_to_give_up):
    answer = owner.client.post(CHECKOUT, order())
    assert refusal_of(answer) == (503, "provider_unavailable")
    assert (answer.json()["error"]["retryable"], answer["Retry-After"]) == (True, "5")
    assert (Checkout.objects.count(), PlanPrice.objects.count(), Payment.objects.count()) == (0, 0, 0)


def test_stripes_own_message_is_not_shown_to_the_client(shop, owner, sandbox, quick_to_give_up):
    sandbox.fault(path="/v1/checkout/sessions", status=400, message="secret internals")
    answer = owner.client.post(CHECKOUT, order())
    assert refusal_of(answer) == (503, "provider_unavailable")
    assert "secret" not in answer.content.decode()


def test_a_lost_answer_of_a_checkout_is_requested_again(shop, owner, sandbox):
    sandbox.fault(kind="lost", path="/v1/checkout/sessions")
    data_of(owner.client.post(CHECKOUT, order()), 201)
    assert len(shop.stripe.records()["sessions"]) == 1


def test_checkout_without_a_stripe_key_says_that_payments_are_not_set_up(owner, settings):
    settings.STRIPE_SECRET_KEY = ""
    answer = owner.client.post(CHECKOUT, order())
    assert refusal_of(answer) == (503, "provider_unavailable")
    assert (answer.json()["error"]["retryable"], Checkout.objects.count()) == (False, 0)


# ── After a purchase


def test_a_returning_buyer_sees_the_status_of_the_purchase(shop, owner):
    session_id = shop.open_checkout(owner, "pack-100")
    before = data_of(owner.client.get(f"{CHECKOUT}/{session_id}"))["status"]
    shop.stripe.pay(session_id)
    owner.client.get(f"{CHECKOUT}/{session_id}")
    shop.run_due_syncs()
    after = data_of(owner.client.get(f"{CHECKOUT}/{session_id}"))["status"]
    assert (before, after, owner.wallet.balance) == ("open", "complete", 130)


def test_a_checkout_of_another_account_is_not_found(owner, outsider):
    session_id = make_checkout(owner).stripe_session_id
    assert refusal_of(outsider.client.get(f"{CHECKOUT}/{session_id}")) == (404, "not_found")


def test_the_portal_opens_for_an_account_with_purchases(shop, owner):
    shop.buy(owner, "pack-100")
    assert data_of(owner.client.post(PORTAL), 201)["portal_url"].startswith("http")


def test_the_portal_is_refused_to_an_account_without_purchases(owner):
    with nothing_changes():
        answer = owner.client.post(PORTAL)
    assert refusal_of(answer) == (409, "conflict")


@pytest.mark.parametrize("path", ["payments", "invoices"])
def test_an_outsider_sees_nothing_of_what_was_paid(owner, outsider, path):
    payment = make_payment(owner)
    assert data_of(outsider.client.get(f"/api/v1/billing/{path}")) == []
    assert refusal_of(outsider.client.get(f"/api/v1/billing/payments/{payment.pk}")) == (404, "not_found")
