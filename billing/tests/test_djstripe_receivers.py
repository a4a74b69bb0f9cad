"""A genuine event is stored, mirrored and requests one sync, or nothing is stored at all."""

import inspect
from functools import partial

import pytest
import stripe
from django.apps import apps
from django.conf import settings
from django.utils import timezone
from djstripe.models import APIKey, Charge, Event, WebhookEventTrigger
from djstripe.models.base import StripeModel

from billing.models import StripeSync
from billing.stripe import event_types, webhook_endpoint
from billing.tests.stripe_events import (
    CHARGE,
    REFUND,
    SECRET,
    StubbedStripeClient,
    deliver,
    event_of,
    failing_sync_requests,
)
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.parallel import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def endpoint(db):
    return webhook_endpoint.save_endpoint("we_1", SECRET)


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    table = StubbedStripeClient({"/charges/ch_1": CHARGE})
    monkeypatch.setattr(stripe, "default_http_client", table)
    return table


def syncs():
    """Kind, object id and version of each sync."""
    return list(StripeSync.objects.order_by("pk").values_list("kind", "object_id", "version"))


def deliveries():
    return list(WebhookEventTrigger.objects.order_by("pk").values_list("valid", "processed", "event_id"))


def test_an_event_is_stored_and_requests_a_sync():
    answer = deliver(event_of())
    assert (answer.status_code, answer.content) == (200, b"")
    stored = Event.objects.get()
    assert (stored.id, stored.type, stored.data["object"]) == ("evt_1", "refund.created", REFUND)
    assert (syncs(), deliveries()) == ([("charge", "ch_1", 1)], [(True, True, "evt_1")])


@pytest.mark.django_db(transaction=True)
def test_an_event_enqueues_the_job_of_its_sync(woken):
    assert deliver(event_of()).status_code == 200
    row = StripeSync.objects.get()
    assert (row.due_at <= timezone.now(), woken) == (True, [("billing.look", str(row.pk))])


def test_a_repeated_event_requests_no_second_sync():
    assert [deliver(event_of()).status_code for _ in range(3)] == [200, 200, 200]
    assert (syncs(), Event.objects.count(), len(deliveries())) == ([("charge", "ch_1", 1)], 1, 3)


def test_another_event_of_one_object_requests_another_sync():
    assert [deliver(event_of(event_id=each)).status_code for each in ("evt_1", "evt_2")] == [200, 200]
    assert (syncs(), Event.objects.count()) == ([("charge", "ch_1", 2)], 2)


TARGETS = {
    "checkout": ("session", "xx_1"),
    "invoice": ("invoice", "xx_1"),
    "customer": ("subscription", "xx_1"),
    "payment_intent": ("payment_intent", "xx_1"),
    "charge": ("charge", "xx_1"),
    "refund": ("charge", "ch_9"),
    "radar": ("charge", "ch_9"),
}
"""By the first word of an event's type; exceptions are in `TARGETS_BY_TYPE`."""
TARGETS_BY_TYPE = {"customer.deleted": ("customer", "xx_1")} | {
    kind: ("charge", "ch_9") for kind in event_types.EVENT_TYPES if kind.startswith("charge.dispute.")
}


@pytest.mark.parametrize("kind", event_types.EVENT_TYPES)
def test_every_subscribed_event_type_requests_a_sync_of_its_object(kind):
    obj = {"id": "xx_1", "object": "something", "charge": "ch_9"}
    assert deliver(event_of(kind, obj)).status_code == 200
    assert syncs() == [(*TARGETS_BY_TYPE.get(kind, TARGETS[kind.split(".")[0]]), 1)]


@pytest.mark.parametrize("kind", ["product.updated", "billing.credit_grant.created"])
def test_other_event_types_are_stored_without_a_sync(kind):
    assert deliver(event_of(kind, {"id": "xx_1", "object": "something"})).status_code == 200
    assert (syncs(), Event.objects.get().type) == ([], kind)


def test_a_refund_without_a_charge_is_stored_without_a_sync():
    """A payout that is no refund of a payment of ours."""
    assert deliver(event_of("refund.created", REFUND | {"charge": None})).status_code == 200
    assert (syncs(), Event.objects.get().type) == ([], "refund.created")


def test_the_object_of_an_event_is_read_again_and_mirrored(answers):
    stale = {**CHARGE, "amount_refunded": 0}
    assert deliver(event_of("charge.refunded", stale)).status_code == 200
    assert Charge.objects.get().stripe_data["amount_refunded"] == 500
    assert (answers.asked, answers.versions) == (["GET /charges/ch_1"], {settings.STRIPE_API_VERSION})
    assert syncs() == [("charge", "ch_1", 1)]


def test_an_event_whose_object_cannot_be_read_is_not_stored_and_may_be_resent(answers):
    answers.objects["/charges/ch_1"] = None
    assert refusal_of(deliver(event_of("charge.refunded", CHARGE))) == (503, "provider_unavailable")
    assert (syncs(), Event.objects.count(), Charge.objects.count()) == ([], 0, 0)
    answers.objects["/charges/ch_1"] = CHARGE
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert (syncs(), Event.objects.count()) == ([("charge", "ch_1", 1)], 1)


def test_a_failed_sync_request_stores_nothing_and_the_next_delivery_works():
    with failing_sync_requests(), nothing_changes():
        assert refusal_of(deliver(event_of("charge.refunded", CHARGE))) == (500, "server_error")
    assert (Event.objects.count(), Charge.objects.count()) == (0, 0)
    assert apps.get_model("djstripe", "IdempotencyKey").objects.count() == 0
    assert WebhookEventTrigger.objects.get().exception == "out of order"

    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert (syncs(), Event.objects.count()) == ([("charge", "ch_1", 1)], 1)


@pytest.mark.django_db(transaction=True)
def test_parallel_copies_of_an_event_request_one_sync():
    events = [event_of(event_id=f"evt_{number}") for number in range(6)]
    answers = [answer for body in events for answer in in_parallel([partial(deliver, body)] * 8)]
    assert {answer.status_code for answer in answers} == {200}
    assert (syncs(), Event.objects.count(), WebhookEventTrigger.objects.count()) == (
        [("charge", "ch_1", 6)],
        6,
        48,
    )


# ── The key


def test_no_table_of_djstripe_holds_the_secret_key(answers):
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    rows = [row for model in apps.get_app_config("djstripe").get_models() for row in model.objects.values()]
    assert [row for row in rows if settings.STRIPE_SECRET_KEY in str(row)] == []
    assert APIKey.objects.count() == 0


def test_the_account_of_the_key_is_not_read_from_stripe(answers):
    assert deliver(event_of("charge.refunded", CHARGE)).status_code == 200
    assert [address for address in answers.asked if "account" in address] == []
    assert Charge.objects.get().djstripe_owner_account.id == settings.STRIPE_ACCOUNT_ID


def test_the_patched_method_still_exists_in_dj_stripe():
    """If dj-stripe renames the method, the patch has no effect and the key is stored again."""
    assert "Account.get_or_retrieve_for_api_key(api_key)" in inspect.getsource(StripeModel._find_owner_account)
