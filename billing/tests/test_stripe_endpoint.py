"""Rows of Stripe's webhook endpoint, and the retention of deliveries and events."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from djstripe.models import (
    Charge,
    Customer,
    Dispute,
    Event,
    PaymentMethod,
    Session,
    WebhookEndpoint,
    WebhookEventTrigger,
)

from billing import jobs
from billing.stripe import event_types, webhook_endpoint
from billing.tests.stripe_events import SECRET, deliver, event_of, signature_of
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db


def test_the_endpoint_row_is_created_once_and_updated(settings):
    webhook_endpoint.save_endpoint("we_1", "whsec_old")
    url = webhook_endpoint.webhook_url()
    webhook_endpoint.save_endpoint("we_1", SECRET)
    row = WebhookEndpoint.objects.get()
    assert (row.id, row.secret, row.url, webhook_endpoint.webhook_url()) == ("we_1", SECRET, url, url)
    assert (row.enabled_events, row.api_version) == (list(event_types.EVENT_TYPES), settings.STRIPE_API_VERSION)
    assert (row.livemode, row.djstripe_tolerance, row.djstripe_validation_method) == (False, 300, "verify_signature")


def test_the_webhook_url_is_known_before_registration():
    before = webhook_endpoint.webhook_url()
    webhook_endpoint.save_endpoint("we_1", SECRET)
    assert webhook_endpoint.webhook_url() == before


def test_the_webhook_url_is_below_public_url(settings):
    settings.PUBLIC_URL = "https://genvid.example"
    row = webhook_endpoint.save_endpoint("we_1", SECRET)
    assert row.url == f"https://genvid.example/webhooks/stripe/webhook/{row.djstripe_uuid}/"


def test_the_webhook_url_survives_a_new_secret_key(settings):
    webhook_endpoint.save_endpoint("we_1", SECRET)
    before = webhook_endpoint.webhook_url()
    settings.SECRET_KEY = "another" * 8
    assert webhook_endpoint.webhook_url() == before


def test_an_endpoint_that_replaces_another_keeps_its_url():
    webhook_endpoint.save_endpoint("we_1", "whsec_old")
    before = webhook_endpoint.webhook_url()
    deliver(event_of(), signature_of(event_of(), secret="whsec_old"))
    webhook_endpoint.save_endpoint("we_2", SECRET)
    assert (WebhookEndpoint.objects.get().id, webhook_endpoint.webhook_url()) == ("we_2", before)
    assert deliver(event_of()).status_code == 200
    assert WebhookEventTrigger.objects.count() == 2


def test_an_endpoint_is_known_by_its_secret():
    webhook_endpoint.save_endpoint("we_1", SECRET)
    webhook_endpoint.save_endpoint("we_1", SECRET)
    assert [webhook_endpoint.has_secret("we_1"), webhook_endpoint.has_secret("we_2")] == [True, False]
    WebhookEndpoint.objects.update(secret="")
    assert not webhook_endpoint.has_secret("we_1")


def test_the_live_endpoint_is_another_one(settings):
    webhook_endpoint.save_endpoint("we_test", SECRET)
    test = webhook_endpoint.webhook_url()
    settings.STRIPE_LIVE_MODE = True
    webhook_endpoint.save_endpoint("we_live", SECRET)
    assert webhook_endpoint.webhook_url() != test
    assert sorted(WebhookEndpoint.objects.values_list("id", "livemode")) == [("we_live", True), ("we_test", False)]


# ── Purging


def aged(rows, **age):
    rows.update(created=timezone.now() - timedelta(**age))


def came(**fields) -> WebhookEventTrigger:
    return WebhookEventTrigger.objects.create(remote_ip="127.0.0.1", headers={}, **fields)


@pytest.mark.parametrize(
    ("fields", "days", "is_kept"),
    [
        ({"valid": False}, 2, True),
        ({"valid": False}, 3, False),
        ({"valid": True, "processed": True}, 29, True),
        ({"valid": True, "processed": True}, 30, False),
        ({"valid": True, "processed": False}, 29, True),
        ({"valid": True, "processed": False}, 30, False),
    ],
)
def test_deliveries_are_deleted_after_their_retention(fields, days, is_kept):
    came(**fields)
    aged(WebhookEventTrigger.objects.all(), days=days, seconds=1)
    assert webhook_endpoint.purge_triggers(timezone.now()) == (0 if is_kept else 1)
    assert WebhookEventTrigger.objects.exists() is is_kept


@pytest.mark.parametrize(("days", "left"), [(89, 1), (90, 0)])
def test_events_are_deleted_after_ninety_days(days, left):
    Event.objects.create(id="evt_1", type="invoice.paid", data={})
    Event.objects.update(djstripe_created=timezone.now() - timedelta(days=days, seconds=1))
    assert (webhook_endpoint.purge_events(timezone.now()), Event.objects.count()) == (1 - left, left)


def test_the_purge_task_deletes_deliveries_and_events():
    event = Event.objects.create(id="evt_1", type="invoice.paid", data={})
    came(valid=True, processed=True, event=event)
    long_ago = timezone.now() - timedelta(days=100)
    Event.objects.update(djstripe_created=long_ago)
    WebhookEventTrigger.objects.update(created=long_ago)
    came(valid=False)
    run_job(jobs.PURGE_STRIPE_INBOX)
    assert (Event.objects.count(), list(WebhookEventTrigger.objects.values_list("valid", flat=True))) == (0, [False])


# ── Erasure


def rows_that_tell(text: str) -> list[str]:
    """The tables of dj-stripe that contain the text."""
    models = apps.get_app_config("djstripe").get_models()
    return [model.__name__ for model in models if text in str(list(model._default_manager.values()))]


def mirror(customer_id: str) -> None:
    """Rows of one purchase with a dispute."""
    customer = Customer.objects.create(id=customer_id, stripe_data={"name": f"Name of {customer_id}"})
    words = {"customer": customer, "stripe_data": {"billing_details": {"name": f"Name of {customer_id}"}}}
    charge = Charge.objects.create(id=f"ch_{customer_id}", amount=12, **words)
    Session.objects.create(id=f"cs_{customer_id}", **words)
    PaymentMethod.objects.create(id=f"pm_{customer_id}", **words)
    Dispute.objects.create(id=f"dp_{customer_id}", charge=charge, stripe_data={"evidence": f"Name of {customer_id}"})
    for kind, obj in [("customer.updated", {"id": customer_id}), ("charge.succeeded", {"customer": customer_id})]:
        event = Event.objects.create(id=f"{kind}_{customer_id}", type=kind, data={"object": obj})
        came(valid=True, event=event, body=f"Name of {customer_id}")


def test_no_row_of_dj_stripe_names_an_erased_customer():
    mirror("cus_1")
    assert rows_that_tell("cus_1") != []
    for _ in range(2):
        webhook_endpoint.delete_customer_mirror("cus_1")
        assert rows_that_tell("cus_1") == []


def test_rows_of_other_customers_stay():
    mirror("cus_2")
    before = rows_that_tell("cus_2")
    mirror("cus_1")
    webhook_endpoint.delete_customer_mirror("cus_1")
    assert (rows_that_tell("cus_2"), Event.objects.count(), WebhookEventTrigger.objects.count()) == (before, 2, 2)
