"""Setup of plans, portal and webhook at Stripe."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from djstripe.models import APIKey, WebhookEndpoint

from accounts.models import AuditEntry, User
from billing import jobs
from billing.models import Plan, PlanPrice, Shop
from billing.purchases import stripe_prices
from billing.stripe import stripe_client
from billing.stripe.event_types import EVENT_TYPES
from billing.stripe.webhook_endpoint import webhook_url
from billing.stripe_sync import stripe_setup
from billing.tests.shop import balance_of, plan, price_id
from genvid.tests.asserts import nothing_changes
from genvid.tests.factories import PASSWORD, make_payment
from genvid.tests.jobs import run_job
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


def listed(path: str) -> list[dict]:
    return list(stripe_client.list_all(path))


def test_every_plan_is_a_product_with_one_price(shop):
    assert len(listed("products")) == len(listed("prices")) == Plan.objects.count() == 9


def test_prices_are_what_the_plans_say(shop):
    yearly = stripe_client.get(f"prices/{price_id('pro-year')}")
    assert (yearly["unit_amount"], yearly["currency"], yearly["recurring"]["interval"]) == (49_000, "usd", "year")
    assert stripe_client.get(f"prices/{price_id('pack-100')}")["recurring"] is None


def test_repeating_the_setup_creates_nothing_twice(shop):
    stripe_setup.set_up_stripe()
    counts = [
        len(listed(path)) for path in ("products", "prices", "webhook_endpoints", "billing_portal/configurations")
    ]
    assert (counts, PlanPrice.objects.count(), WebhookEndpoint.objects.count()) == ([9, 9, 1, 1], 9, 1)


def test_the_webhook_is_registered_for_the_handled_event_types_alone(shop):
    (endpoint,) = listed("webhook_endpoints")
    assert (endpoint["url"], sorted(endpoint["enabled_events"])) == (webhook_url(), sorted(EVENT_TYPES))
    assert endpoint["api_version"] == "2026-05-27.dahlia"


def test_an_endpoint_whose_secret_is_lost_is_replaced(shop, owner):
    WebhookEndpoint.objects.all().delete()
    stripe_setup.set_up_stripe()
    shop.secret = WebhookEndpoint.objects.get().secret
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (balance_of(owner), len(listed("webhook_endpoints"))) == (130, 1)


def test_the_portal_offers_the_subscriptions_that_are_for_sale(shop):
    Plan.objects.filter(code="business-month").update(is_active=False)
    stripe_setup.set_up_stripe()
    (configuration,) = listed("billing_portal/configurations")
    offered = {
        price for each in configuration["features"]["subscription_update"]["products"] for price in each["prices"]
    }
    kept = ("starter-month", "pro-month", "starter-year", "pro-year", "business-year")
    assert offered == {price_id(code) for code in kept}
    assert Shop.objects.get().portal_configuration_id == configuration["id"]


def test_no_secret_key_is_in_the_database(shop, owner, settings):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert (APIKey.objects.count(), settings.STRIPE_SECRET_KEY[:8]) == (0, "sk_test_")


def test_new_terms_are_a_new_price_for_new_buyers(shop, owner):
    old = price_id("pro-month")
    subscription = shop.subscribe(owner, "pro-month")
    Plan.objects.filter(code="pro-month").update(amount=5_900, credits=600)
    stripe_prices.push_plan(plan("pro-month"))
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert (price_id("pro-month") != old, stripe_client.get(f"prices/{old}")["active"]) == (True, False)
    # Existing subscribers keep their terms.
    assert balance_of(owner) == 30 + 480 * 2


def test_terms_that_return_get_a_current_price_again(shop):
    for amount in (1_300, 1_200):
        Plan.objects.filter(code="pack-100").update(amount=amount)
        stripe_prices.push_plan(plan("pack-100"))
    current = stripe_client.get(f"prices/{price_id('pack-100')}")
    assert (current["unit_amount"], current["active"], plan("pack-100").prices.count()) == (1_200, True, 3)


def test_a_purchase_finds_new_terms_that_nobody_pushed(shop, owner):
    Plan.objects.filter(code="pack-100").update(credits=150)
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    assert balance_of(owner) == 180


@pytest.mark.django_db(transaction=True)
def test_eight_parallel_pushes_of_one_change_create_one_price(shop):
    Plan.objects.filter(code="pack-100").update(amount=1_300)
    made = in_parallel([lambda: stripe_prices.push_plan(plan("pack-100")).stripe_price_id] * 8)
    assert set(made) == {price_id("pack-100")}
    assert len([each for each in listed("prices") if each["unit_amount"] == 1_300]) == 1


def test_setup_stripe_prints_the_webhook_url(sandbox):
    out = StringIO()
    call_command("setup_stripe", stdout=out)
    assert webhook_url() in out.getvalue()


def test_setup_stripe_fails_without_a_key(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="not_configured"):
        call_command("setup_stripe")
    assert Shop.objects.count() == 0


# ── Staff


@pytest.fixture
def staff(db) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("staff@example.com", PASSWORD))
    return browser


def test_staff_change_a_plan_and_its_price_follows(shop, staff, django_capture_on_commit_callbacks):
    page = reverse("admin:billing_plan_change", args=[plan("pack-100").pk])
    shown = plan("pack-100")
    body = {"name": "A hundred", "amount": 1_500, "credits": 100, "tier": "", "trial_days": 0}
    body |= {"trial_credits": 0, "features": "[]", "position": shown.position, "is_active": "on"}
    body |= {"prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0}
    assert staff.post(page, body).status_code == 302
    stripe_prices.push_plans()
    assert (plan("pack-100").name, stripe_client.get(f"prices/{price_id('pack-100')}")["unit_amount"]) == (
        "A hundred",
        1_500,
    )


def test_staff_refund_a_payment_in_the_admin(shop, owner, staff):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    listing = reverse("admin:billing_payment_changelist")
    chosen = {"action": "refund", "_selected_action": [str(owner.account.payments.get().pk)]}
    with nothing_changes():
        asked = staff.post(listing, chosen)
    staff.post(listing, {**chosen, "confirmed": "yes", "reason": "Closed."})
    shop.deliver_events()
    entry = AuditEntry.objects.get(act="staff.payment_refunded")
    assert (b'name="confirmed"' in asked.content, entry.detail["reason"]) == (True, "Closed.")
    assert (balance_of(owner), owner.account.payments.get().status) == (30, "refunded")


def test_more_payments_than_are_refunded_at_once_are_refused_together(shop, owner, staff):
    chosen = [str(make_payment(owner).pk) for _ in range(21)]
    listing = reverse("admin:billing_payment_changelist")
    with nothing_changes():
        told = staff.post(listing, {"action": "refund", "_selected_action": chosen}, follow=True)
    assert [str(each) for each in told.context["messages"]] == ["At most 20 payments at a time."]


def test_staff_cannot_refund_a_payment_twice(shop, owner, staff):
    shop.buy(owner, "pack-100")
    shop.deliver_events()
    listing = reverse("admin:billing_payment_changelist")
    chosen = {"action": "refund", "_selected_action": [str(owner.account.payments.get().pk)]}
    chosen |= {"confirmed": "yes", "reason": "Closed."}
    staff.post(listing, chosen)
    shop.deliver_events()
    staff.post(listing, chosen)
    assert len(shop.stripe.records()["refunds"]) == 1


def test_new_terms_reach_the_portal(shop):
    Plan.objects.filter(code="pro-month").update(amount=5_900)
    run_job(jobs.PUSH_PLANS)
    (portal,) = stripe_client.get("billing_portal/configurations")["data"]
    offered = [price for each in portal["features"]["subscription_update"]["products"] for price in each["prices"]]
    assert price_id("pro-month") in offered
