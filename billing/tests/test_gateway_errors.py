"""Translation of Stripe's errors: our code, and whether a retry can help."""

import pytest
import stripe

from billing.stripe import stripe_client
from billing.stripe.stripe_errors import BillingError, translate


def error(kind: type[stripe.StripeError], code: str | None = None, status: int = 400) -> stripe.StripeError:
    if issubclass(kind, (stripe.CardError, stripe.InvalidRequestError)):
        return kind("said Stripe", None, code, http_status=status)
    return kind("said Stripe", http_status=status, code=code)


@pytest.mark.parametrize(
    ("given", "code", "retryable"),
    [
        (error(stripe.APIConnectionError), "unreachable", True),
        (error(stripe.RateLimitError, status=429), "rate_limited", True),
        (error(stripe.AuthenticationError, status=401), "bad_key", True),
        (error(stripe.PermissionError, status=403), "not_permitted", True),
        (error(stripe.IdempotencyError), "key_reused", False),
        (error(stripe.CardError, "card_declined", 402), "card_declined", False),
        (error(stripe.CardError, "expired_card", 402), "card_declined", False),
        (error(stripe.CardError, "authentication_required", 402), "authentication_required", False),
        (error(stripe.InvalidRequestError, "resource_missing", 404), "not_found", False),
        (error(stripe.InvalidRequestError, "parameter_unknown"), "invalid_request", False),
        (error(stripe.InvalidRequestError, "idempotency_key_in_use", 409), "in_progress", True),
        (error(stripe.InvalidRequestError, "lock_timeout", 429), "in_progress", True),
        (error(stripe.InvalidRequestError, "anything", 409), "invalid_request", True),
        (error(stripe.APIError, status=500), "provider_error", True),
        (stripe.StripeError("something new"), "unknown", False),
    ],
)
def test_every_stripe_error_class_has_a_code(given, code, retryable):
    found = translate(given)
    assert (found.code, found.retryable) == (code, retryable)


@pytest.fixture
def asked(sandbox, settings, monkeypatch):
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    yield sandbox
    stripe_client._client.cache_clear()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 500}, "provider_error"),
        ({"kind": "status", "status": 429}, "rate_limited"),
        ({"kind": "html", "status": 502}, "provider_error"),
        ({"kind": "garbage"}, "provider_error"),
        ({"kind": "drop"}, "unreachable"),
    ],
)
def test_whatever_stripe_does_is_an_error_that_a_retry_can_help(asked, fault, code):
    asked.fault(path="/v1/customers/*", **fault)
    with pytest.raises(BillingError) as caught:
        stripe_client.get("customers/cus_1")
    assert (caught.value.code, caught.value.retryable) == (code, True)


def test_a_wrong_key_is_retried(asked, settings):
    settings.STRIPE_SECRET_KEY = "pk_nonsense"
    with pytest.raises(BillingError) as caught:
        stripe_client.get("customers/cus_1")
    assert (caught.value.code, caught.value.retryable) == ("bad_key", True)


def test_an_unknown_object_is_not_found_and_not_retried(asked):
    with pytest.raises(BillingError) as caught:
        stripe_client.get("customers/cus_1")
    assert (caught.value.code, caught.value.retryable) == ("not_found", False)


def test_long_lists_are_read_to_their_end(asked, monkeypatch):
    monkeypatch.setattr(stripe_client, "PAGE", 2)
    for number in range(5):
        stripe_client.post("customers", key=f"k{number}", email=f"{number}@example.com")
    assert [each["email"][0] for each in stripe_client.list_all("customers")] == ["4", "3", "2", "1", "0"]


def test_one_idempotency_key_creates_one_object(asked):
    first, second = (stripe_client.post("customers", key="once", email="a@example.com") for _ in range(2))
    assert first["id"] == second["id"]
    with pytest.raises(BillingError, match="key_reused"):
        stripe_client.post("customers", key="once", email="b@example.com")
