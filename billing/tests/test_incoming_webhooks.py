"""Stripe's webhook: signatures, limits, and what is stored of refused deliveries."""

import json
import time

import pytest
from django.test import Client
from djstripe.models import Event, WebhookEndpoint, WebhookEventTrigger
from djstripe.views import ProcessWebhookView
from limits import parse

from billing.models import StripeSync
from billing.stripe import webhook_endpoint
from billing.tests.stripe_events import SECRET, deliver, event_of, path, signature_of
from genvid.tests.asserts import nothing_changes, refusal_of

pytestmark = pytest.mark.django_db
FORGED = (400, "validation_error")
BODY = event_of()
TOLERANCE = 300
LIMIT = 1024 * 1024


@pytest.fixture(autouse=True)
def endpoint(db):
    return webhook_endpoint.save_endpoint("we_1", SECRET)


def kept() -> tuple[int, int, list[bool]]:
    """How many events, how many deliveries, and which of these were genuine."""
    genuine = list(WebhookEventTrigger.objects.values_list("valid", flat=True))
    return Event.objects.count(), len(genuine), genuine


def noted() -> list[tuple[str, str, int]]:
    """What is to be looked at, and how often that was asked for."""
    return list(StripeSync.objects.values_list("kind", "object_id", "version"))


@pytest.mark.parametrize(
    "signature",
    [
        lambda now: signature_of(BODY, secret="whsec_another", at=now),
        lambda now: signature_of(event_of(event_id="evt_2"), at=now),
        lambda now: signature_of(BODY, at=now - TOLERANCE - 1),
        lambda now: f"t={now},v1={'0' * 64}",
        lambda now: f"t={now},v0={signature_of(BODY, at=now).partition('v1=')[2]}",
        lambda now: f"t=soon,v1={'0' * 64}",
        lambda now: f"t={'9' * 5000},v1=0",
        lambda now: f"t={now},v1=ü",
        lambda now: "ü",
    ],
    ids=["secret", "body", "old", "zeros", "scheme", "no-time", "endless-time", "umlaut", "no-signature"],
)
def test_a_delivery_with_a_wrong_signature_is_refused_and_stored_as_forged(signature):
    with nothing_changes():
        assert refusal_of(deliver(BODY, signature(int(time.time())))) == FORGED
    assert kept() == (0, 1, [False])
    assert WebhookEventTrigger.objects.get().exception == "The signature of evt_1 does not match."


def test_a_delivery_without_a_signature_is_not_stored():
    with nothing_changes():
        assert refusal_of(deliver(BODY, "")) == FORGED
    assert kept() == (0, 0, [])


def test_an_endpoint_without_a_secret_refuses_every_delivery():
    WebhookEndpoint.objects.update(secret="")
    assert refusal_of(deliver(BODY, signature_of(BODY, secret=""))) == FORGED
    assert kept()[0] == 0


def test_an_unknown_webhook_address_is_not_found():
    other = "/webhooks/stripe/webhook/00000000-0000-4000-8000-000000000000/"
    headers = {"Stripe-Signature": signature_of(BODY)}
    answer = Client().post(other, BODY, content_type="application/json", headers=headers)
    assert (refusal_of(answer), kept()) == ((404, "not_found"), (0, 0, []))


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete"])
def test_the_stripe_webhook_accepts_only_post(method):
    answer = getattr(Client(), method)(path())
    assert (answer.status_code, kept()) == (405, (0, 0, []))


JUNK = [b"", b"5", b"[]", b'"id livemode"', b"null", b"{", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"id": "\x00"}']


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("body", JUNK, ids=range(len(JUNK)))
def test_a_body_that_is_no_json_object_is_refused_and_not_stored(body, is_signed):
    signature = signature_of(body) if is_signed else "t=1,v1=0"
    assert refusal_of(deliver(body, signature)) == (400, "parse_error")
    assert kept() == (0, 0, [])


def test_a_stripe_delivery_of_one_mebibyte_is_read_and_a_longer_one_refused():
    fitting = event_of().ljust(LIMIT)
    assert deliver(fitting).status_code == 200
    assert refusal_of(deliver(fitting + b" ")) == (413, "payload_too_large")
    assert kept() == (1, 1, [True])


def test_a_thin_event_is_accepted_and_ignored():
    thin = json.dumps({"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.x", "livemode": False})
    with nothing_changes():
        assert deliver(thin.encode()).status_code == 200
    assert kept() == (0, 0, [])


def test_an_event_without_a_mode_is_refused():
    bare = json.dumps({"id": "evt_1", "object": "event"}).encode()
    assert refusal_of(deliver(bare)) == FORGED
    assert kept() == (0, 1, [False])


# ── What dj-stripe would believe


def test_under_debug_only_our_signing_secret_counts(settings):
    settings.DEBUG = True
    mine = "whsec_brought_along"
    with nothing_changes():
        answer = deliver(BODY, signature_of(BODY, secret=mine), headers={"X-Djstripe-Webhook-Secret": mine})
    assert (refusal_of(answer), kept()) == (FORGED, (0, 1, [False]))


def test_dj_stripe_alone_trusts_a_secret_in_a_header_under_debug(settings, endpoint, rf):
    """Why we do not pass on the headers of a request."""
    settings.DEBUG = True
    mine = "whsec_brought_along"
    headers = {"Stripe-Signature": signature_of(BODY, secret=mine), "X-Djstripe-Webhook-Secret": mine}
    request = rf.post(path(), BODY, content_type="application/json", headers=headers)
    assert ProcessWebhookView.as_view()(request, uuid=endpoint.djstripe_uuid).status_code == 200


@pytest.mark.parametrize("claimed", ["garbage", "203.0.113.9", "203.0.113.9, x"])
def test_the_stored_address_is_the_clients_whatever_headers_claim(claimed):
    assert deliver(BODY, headers={"X-Forwarded-For": claimed, "Cookie": "sessionid=secret"}).status_code == 200
    delivery = WebhookEventTrigger.objects.get()
    assert delivery.remote_ip == "127.0.0.1"
    assert sorted(delivery.headers) == ["Stripe-Signature", "User-Agent"]


# ── How often


@pytest.fixture
def two_a_minute(settings):
    settings.RATE_LIMITS = True
    settings.RATE_LIMIT_FORGED_WEBHOOKS = parse("2/minute")


def test_forged_deliveries_are_rate_limited(two_a_minute):
    answers = [refusal_of(deliver(BODY, "t=1,v1=0")) for _ in range(4)]
    assert answers == [FORGED, FORGED, (429, "rate_limited"), (429, "rate_limited")]
    assert kept() == (0, 2, [False, False])


def test_genuine_deliveries_are_never_rate_limited(two_a_minute):
    for _ in range(3):
        deliver(BODY, "t=1,v1=0")
    genuine = [deliver(event_of(event_id=f"evt_{number}")).status_code for number in range(4)]
    assert (genuine, kept()[0], noted()) == ([200, 200, 200, 200], 4, [("charge", "ch_1", 4)])


def test_malformed_deliveries_count_against_the_forgery_limit(two_a_minute):
    assert [deliver(b"{", "t=1,v1=0").status_code for _ in range(3)] == [400, 400, 429]
