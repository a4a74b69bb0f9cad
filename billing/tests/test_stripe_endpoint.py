"""Our side of Stripe's webhook endpoint, and how long what came through it is kept."""

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
from billing.stripe import webhook_endpoint
from billing.tests.stripe_events import SECRET, deliver, event_of, signature_of
from genvid.tests.jobs import run_job

pytestmark = pytest.mark.django_db


def test_the_row_is_made_once_and_renewed(settings):
    webhook_endpoint.endpoint_row("we_1", "whsec_old")
    url = webhook_endpoint.webhook_url()
    webhook_endpoint.endpoint_row("we_1", SECRET)
    row = WebhookEndpoint.objects.get()
    assert (row.id, row.secret, row.url, webhook_endpoint.webhook_url()) == ("we_1", SECRET, url, url)
    assert (row.enabled_events, row.api_version) == (list(webhook_endpoint.EVENT_TYPES), settings.STRIPE_API_VERSION)
    assert (row.livemode, row.djstripe_tolerance, row.djstripe_validation_method) == (False, 300, "verify_signature")


def test_the_address_is_known_before_the_row_is_made():
    before = webhook_endpoint.webhook_url()
    webhook_endpoint.endpoint_row("we_1", SECRET)
    assert webhook_endpoint.webhook_url() == before


def test_the_address_is_below_ours(settings):
    settings.PUBLIC_URL = "https://genvid.example"
    row = webhook_endpoint.endpoint_row("we_1", SECRET)
    assert row.url == f"https://genvid.example/webhooks/stripe/webhook/{row.djstripe_uuid}/"


def test_the_address_outlives_the_secret_key(settings):
    webhook_endpoint.endpoint_row("we_1", SECRET)
    before = webhook_endpoint.webhook_url()
    settings.SECRET_KEY = "another" * 8
    assert webhook_endpoint.webhook_url() == before


def test_an_endpoint_that_takes_anothers_place_has_its_address():
    webhook_endpoint.endpoint_row("we_1", "whsec_old")
    before = webhook_endpoint.webhook_url()
    deliver(event_of(), signature_of(event_of(), secret="whsec_old"))
    webhook_endpoint.endpoint_row("we_2", SECRET)
    assert (WebhookEndpoint.objects.get().id, webhook_endpoint.webhook_url()) == ("we_2", before)
    assert deliver(event_of()).status_code == 200
    assert WebhookEventTrigger.objects.count() == 2


def test_an_endpoint_is_known_by_its_secret():
    webhook_endpoint.endpoint_row("we_1", SECRET)
    webhook_endpoint.endpoint_row("we_1", SECRET)
    assert [webhook_endpoint.knows("we_1"), webhook_endpoint.knows("we_2")] == [True, False]
    WebhookEndpoint.objects.update(secret="")
    assert not webhook_endpoint.knows("we_1")


def test_the_live_endpoint_is_another_one(settings):
    webhook_endpoint.endpoint_row("we_test", SECRET)
    test = webhook_endpoint.webhook_url()
    settings.STRIPE_LIVE_MODE = True
    webhook_endpoint.endpoint_row("we_live", SECRET)
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
def test_a_delivery_is_forgotten_when_it_is_of_no_more_use(fields, days, is_kept):
    came(**fields)
    aged(WebhookEventTrigger.objects.all(), days=days, seconds=1)
    assert webhook_endpoint.purge_triggers(timezone.now()) == (0 if is_kept else 1)
    assert WebhookEventTrigger.objects.exists() is is_kept


@pytest.mark.parametrize(("days", "left"), [(89, 1), (90, 0)])
def test_an_event_is_forgotten_after_ninety_days(days, left):
    Event.objects.create(id="evt_1", type="invoice.paid", data={})
    Event.objects.update(djstripe_created=timezone.now() - timedelta(days=days, seconds=1))
    assert (webhook_endpoint.purge_events(timezone.now()), Event.objects.count()) == (1 - left, left)


def test_the_task_purges_both():
    event = Event.objects.create(id="evt_1", type="invoice.paid", data={})
    came(valid=True, processed=True, event=event)
    long_ago = timezone.now() - timedelta(days=100)
    Event.objects.update(djstripe_created=long_ago)
    WebhookEventTrigger.objects.update(created=long_ago)
    came(valid=False)
    run_job(jobs.PURGE_STRIPE_INBOX)
    assert (Event.objects.count(), list(WebhookEventTrigger.objects.values_list("valid", flat=True))) == (0, [False])


# ── Forgetting


def rows_that_tell(text: str) -> list[str]:
    """The tables of dj-stripe's in which it stands."""
    models = apps.get_app_config("djstripe").get_models()
    return [model.__name__ for model in models if text in str(list(model._default_manager.values()))]


def mirror(customer_id: str) -> None:
    """What one purchase with a dispute leaves behind."""
    customer = Customer.objects.create(id=customer_id, stripe_data={"name": f"Name of {customer_id}"})
    words = {"customer": customer, "stripe_data": {"billing_details": {"name": f"Name of {customer_id}"}}}
    charge = Charge.objects.create(id=f"ch_{customer_id}", amount=12, **words)
    Session.objects.create(id=f"cs_{customer_id}", **words)
    PaymentMethod.objects.create(id=f"pm_{customer_id}", **words)
    Dispute.objects.create(id=f"dp_{customer_id}", charge=charge, stripe_data={"evidence": f"Name of {customer_id}"})
    for kind, obj in [("customer.updated", {"id": customer_id}), ("charge.succeeded", {"customer": customer_id})]:
        event = Event.objects.create(id=f"{kind}_{customer_id}", type=kind, data={"object": obj})
        came(valid=True, event=event, body=f"Name of {customer_id}")


def test_nothing_tells_of_a_customer_who_is_forgotten():
    mirror("cus_1")
    assert rows_that_tell("cus_1") != []
    for _ in range(2):
        webhook_endpoint.delete_customer_mirror("cus_1")
        assert rows_that_tell("cus_1") == []


def test_of_other_customers_everything_stays():
    mirror("cus_2")
    before = rows_that_tell("cus_2")
    mirror("cus_1")
    webhook_endpoint.delete_customer_mirror("cus_1")
    assert (rows_that_tell("cus_2"), Event.objects.count(), WebhookEventTrigger.objects.count()) == (before, 2, 2)
