"""dj-stripe and the sandbox: every event of a purchase is taken, and its object read again over real HTTP."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from djstripe.models import APIKey, Charge, Event, Invoice, Subscription, WebhookEventTrigger

from billing.stripe import stripe_client as stripe_api
from billing.stripe import webhook_endpoint
from billing.tests.stripe_events import SECRET, deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def endpoint(sandbox):
    return webhook_endpoint.save_endpoint("we_1", SECRET)


def make(path: str, **params: Any) -> dict[str, Any]:
    return stripe_api.post(path, key=f"{path}:{json.dumps(params)}", **params)


def make_customer() -> str:
    customer = make("customers", email="ada@example.com", name="Ada")["id"]
    card = make("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    make(f"customers/{customer}", invoice_settings={"default_payment_method": card})
    return customer


def deliver_all() -> dict[str, int]:
    """Everything that happened so far, oldest first: how each kind was answered."""
    events = list(stripe_api.list_all("events"))
    return {event["type"]: deliver(json.dumps(event).encode()).status_code for event in reversed(events)}


def buy(customer: str) -> str:
    terms = {"amount": 1200, "currency": "usd", "confirm": True, "off_session": True}
    methods = stripe_api.get("payment_methods", customer=customer)["data"]
    return make("payment_intents", customer=customer, payment_method=methods[0]["id"], **terms)["id"]


def subscribe(customer: str) -> str:
    product = make("products", name="Pro")["id"]
    price = make("prices", product=product, unit_amount=4900, currency="usd", recurring={"interval": "month"})["id"]
    return make("subscriptions", customer=customer, items=[{"price": price}])["id"]


def test_a_purchase_and_its_refund_are_mirrored():
    make("refunds", payment_intent=buy(make_customer()), amount=500)
    answers = deliver_all()
    assert {"payment_intent.succeeded", "charge.succeeded", "charge.refunded", "refund.created"} <= set(answers)
    assert {kind for kind, status in answers.items() if status != 200} == set()
    charge = Charge.objects.get().stripe_data
    assert (charge["amount"], charge["amount_refunded"], charge["refunded"]) == (1200, 500, False)


def test_a_subscription_and_its_first_invoice_are_mirrored():
    subscription = subscribe(make_customer())
    answers = deliver_all()
    assert {"customer.subscription.created", "invoice.finalized", "invoice.paid"} <= set(answers)
    assert {kind for kind, status in answers.items() if status != 200} == set()
    assert (Subscription.objects.get().id, Invoice.objects.get().stripe_data["status"]) == (subscription, "paid")


def test_delivering_all_events_again_changes_nothing():
    buy(make_customer())
    deliver_all()
    count = Event.objects.count()
    assert set(deliver_all().values()) == {200}
    assert (Event.objects.count(), WebhookEventTrigger.objects.filter(processed=False).count()) == (count, 0)


def test_the_secret_key_stays_out_of_the_mirror():
    buy(make_customer())
    deliver_all()
    rows = [row for model in apps.get_app_config("djstripe").get_models() for row in model.objects.values()]
    assert len(rows) > 5
    assert [row for row in rows if settings.STRIPE_SECRET_KEY in str(row)] == []
    assert APIKey.objects.count() == 0
