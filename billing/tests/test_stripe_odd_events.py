"""Bodies that are signed and yet no events of Stripe's, and events whose object Stripe does not tell of."""

import json
from datetime import UTC, datetime

import pytest
import stripe
import time_machine
from djstripe.models import Event, WebhookEventTrigger

from billing.models import StripeSync
from billing.stripe import webhook_endpoint
from billing.tests.stripe_events import CHARGE, REFUND, SECRET, TableOfAnswers, deliver, event_of
from genvid.mail.models import QueuedMail
from genvid.tests.asserts import nothing_changes, refusal_of
from genvid.tests.mail import alarms

pytestmark = pytest.mark.django_db
ABSENT = object()


@pytest.fixture(autouse=True)
def endpoint(db):
    return webhook_endpoint.endpoint_row("we_1", SECRET)


def event_with(path: str, value: object) -> bytes:
    """The event of a refund in which what stands at `path` is something else, or not there."""
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
def test_a_signed_body_of_another_form_is_refused_and_not_kept(path, value):
    with nothing_changes():
        assert refusal_of(deliver(event_with(path, value))) == (400, "validation_error")
    assert (Event.objects.count(), WebhookEventTrigger.objects.count(), StripeSync.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("value", ["\x00", "\ud800", float("nan"), float("inf")], ids=["nul", "half", "nan", "inf"])
def test_a_signed_body_that_no_database_stores_is_refused(value):
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
def test_what_stripe_leaves_open_is_taken(path, value):
    assert deliver(event_with(path, value)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]


def test_a_charge_that_comes_whole_is_looked_at_by_its_id():
    assert deliver(event_with("data.object.charge", CHARGE)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]


# ── What Stripe answers when dj-stripe asks for the object


class Refusing(TableOfAnswers):
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
def test_an_event_of_what_stripe_refuses_to_tell_of_is_taken_and_looked_at(monkeypatch, status, error):
    assert delivered(monkeypatch, status, error).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("charge", "ch_1")]
    assert QueuedMail.objects.count() == 0


def test_a_subscription_whose_customer_stripe_does_not_know_is_taken(monkeypatch):
    monkeypatch.setattr(stripe, "default_http_client", Refusing(404, type="invalid_request_error"))
    subscription = {"id": "sub_1", "object": "subscription", "customer": "cus_gone", "status": "active"}
    assert deliver(event_of("customer.subscription.updated", subscription)).status_code == 200
    assert list(StripeSync.objects.values_list("kind", "object_id")) == [("subscription", "sub_1")]


@pytest.mark.parametrize(("status", "error"), SILENCE)
def test_while_stripe_does_not_tell_the_event_is_to_come_again(monkeypatch, status, error):
    assert refusal_of(delivered(monkeypatch, status, error)) == (503, "provider_unavailable")
    assert (Event.objects.count(), StripeSync.objects.count(), QueuedMail.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(("status", "error"), OF_THE_KEY)
def test_while_stripe_refuses_the_key_staff_hear_of_it_once_a_day(monkeypatch, status, error):
    with time_machine.travel(datetime(2026, 7, 1, 12, tzinfo=UTC), tick=False):
        answers = [refusal_of(delivered(monkeypatch, status, error)) for _ in range(2)]
    assert (answers, StripeSync.objects.count()) == ([(503, "provider_unavailable")] * 2, 0)
    (about,) = alarms("billing")
    assert about.endswith("2026-07-01")


def test_a_kind_that_nobody_follows_is_taken_without_a_look(monkeypatch):
    monkeypatch.setattr(stripe, "default_http_client", Refusing(404, type="invalid_request_error"))
    assert deliver(event_of("charge.captured", CHARGE)).status_code == 200
    assert StripeSync.objects.count() == 0


def test_the_object_of_a_refund_needs_no_charge():
    assert deliver(event_of("refund.created", REFUND | {"charge": ""})).status_code == 200
    assert StripeSync.objects.count() == 0
