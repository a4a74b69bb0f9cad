"""A subscription whose invoices Stripe does not collect gives no tier until it resumes."""

import pytest

from billing.models import Plan
from billing.stripe import stripe_client
from billing.tests.shop import balance_of, failed_syncs
from genvid.tests.asserts import data_of

pytestmark = pytest.mark.django_db


def pause(subscription: str, behavior: str) -> None:
    stripe_client.post(
        f"subscriptions/{subscription}", key=f"pause:{behavior}", pause_collection={"behavior": behavior}
    )


def resume(subscription: str) -> None:
    stripe_client.post(f"subscriptions/{subscription}", key="resume", pause_collection="")


def seen(person) -> tuple[str, str]:
    shown = data_of(person.client.get("/api/v1/billing/subscription"))
    return shown["status"], shown["tier"]


@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
def test_while_collection_is_paused_the_tier_is_free_and_renewals_give_nothing(shop, owner, behavior):
    subscription = shop.subscribe(owner, "pro-month")
    pause(subscription, behavior)
    shop.deliver_events()
    paused = seen(owner)
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert (paused, seen(owner), balance_of(owner), failed_syncs()) == (("paused", "free"), ("paused", "free"), 510, [])


def test_resumed_collection_restores_tier_and_renewals(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    pause(subscription, "void")
    resume(subscription)
    shop.deliver_events()
    shop.stripe.renew(subscription)
    shop.deliver_events()
    assert (seen(owner), balance_of(owner)) == (("active", "pro"), 990)


def test_a_trial_is_paused_too(shop, owner):
    Plan.objects.filter(code="pro-month").update(trial_days=14, trial_credits=20)
    subscription = shop.subscribe(owner, "pro-month")
    pause(subscription, "void")
    shop.deliver_events()
    assert seen(owner) == ("paused", "free")


def test_a_paused_subscription_that_ended_stays_ended(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    pause(subscription, "void")
    shop.stripe.cancel(subscription)
    shop.deliver_events()
    assert seen(owner) == ("canceled", "free")


def test_an_invoice_that_is_not_collected_leaves_the_balance_as_it_was(shop, owner):
    subscription = shop.subscribe(owner, "pro-month")
    customer = owner.account.customer.stripe_customer_id
    stripe_client.post(f"customers/{customer}/balance_transactions", key="gift", amount=-3_000, currency="usd")
    pause(subscription, "void")
    shop.stripe.renew(subscription)
    moved = stripe_client.get(f"customers/{customer}/balance_transactions")["data"]
    assert stripe_client.get(f"customers/{customer}")["balance"] == -3_000
    assert [(each["type"], each["amount"]) for each in moved] == [
        ("unapplied_from_invoice", -3_000),
        ("applied_to_invoice", 3_000),
        ("adjustment", -3_000),
    ]
