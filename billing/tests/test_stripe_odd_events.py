"""Signed bodies that are no valid events, and events whose object cannot be read from Stripe."""

import json
from datetime import UTC, datetime

import pytest
import stripe
import time_machine
from djstripe.models import Event, WebhookEventTrigger

from billing.models import StripeSync
from billing.stripe import webhook_endpoint
from billing.tests.stripe_events import CHARGE, REFUND, SECRET, StubbedStripeClient, deliver, event_of
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.mail import alarms

pytestmark = pytest.mark.django_db
ABSENT = object()


@pytest.fixture(autouse=True)
def endpoint(db):
    return webhook_endpoint.save_endpoint("we_1", SECRET)


def event_with(path: str, value: object) -> bytes:
    """A refund's event with another value at `path`, or without one."""
    event = json.loads(event_of())
    *way, last = path.split(".")
    place = event
    for name in way:
        place = place[name]
    place.pop(last, None) if value is ABSENT else place.update({last: value})
    return json.dumps(event).encode()


ODD = [
    ("data", ABSENT),
    ("data", None),
    ("data", []),
    ("data", "text"),
    ("data.object", ABSENT),
    ("data.object", []),
    ("data.object", "re_1"),
    ("data.object.id", ABSENT),
    ("data.object.id", 5),
    ("data.object.id", {"id": "re_1"}),
    ("data.object.id", "r" * 256),
    ("data.object.object", ABSENT),
    ("data.object.object", ["refund"]),
    ("data.object.charge", ["ch_1"]),
    ("data.object.charge", {"object": "charge"}),
    ("data.object.customer", 7),
    ("data.object.metadata", "text"),
    ("created", ABSENT),
    ("created", "today"),
    ("created", "1780000000"),
    ("created", 1.5),
    ("created", True),
    ("created", 10**15),
    ("type", ABSENT),
    ("type", None),
    ("type", ["refund.created"]),
    ("type", "t" * 251),
    ("id", ""),
    ("id", None),
    ("id", ["evt_1"]),
    ("id", "e" * 256),
    ("livemode", "false"),
    ("livemode", None),
    ("api_version", 2026),
    ("api_version", "v" * 65),
    ("request", ["req_1"]),
    ("request", {"id": 5}),
    ("request", {"id": "r" * 51}),
    ("request", {"idempotency_key": {}}),
]


@pytest.mark.parametrize(("path", "value"), ODD, ids=[f"{number}-{path}" for number, (path, _) in enumerate(ODD)])
def test_a_signed_body_of_another_form_is_refused_and_not_stored(path, value):
    with nothing_changes():
        assert refusal_of(deliver(event_with(path, value))) == (400, "validation_error")
    assert (Event.objects.count(), WebhookEventTrigger.objects.count(), StripeSync.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("value", ["\x00", "\ud800", float("nan"), float("inf")], ids=["nul", "half", "nan", "inf"])
def test_a_signed_body_that_cannot_be_stored_is_refused(value):
    assert refusal_of(deliver(event_with("data.object.reason", value))) == (400, "parse_error")
    assert (Event.objects.count(), WebhookEventTrigger.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("api_version", None),
        ("api_version", ABSENT),
        ("request", None),
        ("request", ABSENT),
        ("request", "req_1"),
        ("data.object.reason", "a backslash before \\u0000"),
        ("data.object.customer", None),
        ("data.object.metadata", {"any": "thing"}),
    ],
)
def test_optional_fields_of_an_event_may_be_missing(path, value):
    assert deliver(event_with(path, value)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]


def test_an_expanded_charge_is_synced_by_its_id():
    assert deliver(event_with("data.object.charge", CHARGE)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]


# ── Stripe's answers to dj-stripe's read of the object


class Refusing(StubbedStripeClient):
    """Answers everything with one error."""

    def __init__(self, status: int, **error: str) -> None:
        super().__init__({})
        self.status, self.error = status, error

    def request(self, method, url, headers, post_data=None):
        return json.dumps({"error": {"message": "No.", **self.error}}), self.status, {}


DEFINITE = [
    (404, {"type": "invalid_request_error", "code": "resource_missing"}),
    (400, {"type": "invalid_request_error", "code": "resource_missing"}),
    (400, {"type": "invalid_request_error"}),
    (402, {"type": "card_error"}),
]
SILENCE = [
    (429, {"type": "invalid_request_error", "code": "rate_limit"}),
    (500, {"type": "api_error"}),
    (503, {"type": "api_error"}),
]
OF_THE_KEY = [(401, {"type": "invalid_request_error"}), (403, {"type": "invalid_request_error"})]


def delivered(monkeypatch, status: int, error: dict[str, str]):
    monkeypatch.setattr(stripe, "default_http_client", Refusing(status, **error))
    return deliver(event_of("charge.refunded", CHARGE))


@pytest.mark.parametrize(("status", "error"), DEFINITE)
def test_an_event_whose_object_stripe_refuses_is_accepted_and_synced(monkeypatch, status, error):
    assert delivered(monkeypatch, status, error).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]
    assert QueuedMail.objects.count() == 0


def test_an_event_of_a_subscription_with_an_unknown_customer_is_accepted(monkeypatch):
    monkeypatch.setattr(stripe, "default_http_client", Refusing(404, type="invalid_request_error"))
    subscription = {"id": "sub_1", "object": "subscription", "customer": "cus_gone", "status": "active"}
    assert deliver(event_of("customer.subscription.updated", subscription)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("subscription", "sub_1")]


@pytest.mark.parametrize(("status", "error"), SILENCE)
def test_an_event_is_refused_for_retry_while_stripe_does_not_answer(monkeypatch, status, error):
    assert refusal_of(delivered(monkeypatch, status, error)) == (503, "provider_unavailable")
    assert (Event.objects.count(), StripeSync.objects.count(), QueuedMail.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(("status", "error"), OF_THE_KEY)
def test_a_refused_stripe_key_alarms_staff_once_a_day(monkeypatch, status, error):
    with time_machine.travel(datetime(2026, 7, 1, 12, tzinfo=UTC), tick=False):
        answers = [refusal_of(delivered(monkeypatch, status, error)) for _ in range(2)]
    assert (answers, StripeSync.objects.count()) == ([(503, "provider_unavailable")] * 2, 0)
    (about,) = alarms("stripe_key_refused")
    assert about.endswith("2026-07-01")


def test_an_unhandled_event_type_is_accepted_without_a_sync(monkeypatch):
    monkeypatch.setattr(stripe, "default_http_client", Refusing(404, type="invalid_request_error"))
    assert deliver(event_of("charge.captured", CHARGE)).status_code == 200
    assert StripeSync.objects.count() == 0


def test_the_object_of_a_refund_needs_no_charge():
    assert deliver(event_of("refund.created", REFUND | {"charge": ""})).status_code == 200
    assert StripeSync.objects.count() == 0
