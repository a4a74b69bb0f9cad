"""Calls to Stripe on the metrics page, by operation and outcome."""

import pytest
import stripe
from django.test import Client

from billing.stripe import djstripe_patches, stripe_client
from billing.stripe.call_metrics import operation_of
from billing.stripe.stripe_errors import BillingError
from genvid.tests.scripted import Answer, ScriptedServer
from genvid.tests.test_metrics import series


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("get", "customers", "get customers"),
        ("get", "customers/cus_Qm2LkUaW9", "get customers/:id"),
        ("post", "checkout/sessions/cs_test_a1B2/expire", "post checkout/sessions/:id/expire"),
        ("GET", "/v1/radar/early_fraud_warnings?charge=ch_1", "get radar/early_fraud_warnings"),
    ],
)
def test_an_operation_has_no_id_in_it(method, path, operation):
    assert operation_of(method, path) == operation


def calls(operation: str, outcome: str) -> float:
    return series(Client().get("/metrics")).get(("genvid_stripe_call_seconds_count", (operation, outcome)), 0)


@pytest.fixture
def stripe_server(db, settings, monkeypatch):
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    with ScriptedServer() as server:
        settings.STRIPE_API_HOST = server.url
        yield server


def test_a_call_is_timed_by_its_outcome(stripe_server):
    outcomes = ("ok", "not_found", "provider_error")
    before = [calls("get customers/:id", outcome) for outcome in outcomes]
    refusal = b'{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'
    stripe_server.script += [Answer(200, b'{"id": "cus_1"}'), Answer(404, refusal), Answer(500, b"{}")]
    stripe_client.get("customers/cus_1")
    for _ in range(2):
        with pytest.raises(BillingError):
            stripe_client.get("customers/cus_1")
    after = [calls("get customers/:id", outcome) for outcome in outcomes]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


def test_calls_of_djstripe_are_timed_too(stripe_server):
    client = djstripe_patches.TimedClient(timeout=900)
    outcomes = ("ok", "http_404", "unreachable")
    before = [calls("get charges/:id", outcome) for outcome in outcomes]
    stripe_server.script += [Answer(200, b"{}"), Answer(404, b"{}"), Answer(hang_up=True)]
    for _ in range(2):
        client.request("get", f"{stripe_server.url}/v1/charges/ch_1", {})
    with pytest.raises(stripe.APIConnectionError):
        client.request("get", f"{stripe_server.url}/v1/charges/ch_1", {})
    after = [calls("get charges/:id", outcome) for outcome in outcomes]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


def test_djstripe_uses_the_client_that_is_timed():
    assert isinstance(stripe.default_http_client, djstripe_patches.TimedClient)
