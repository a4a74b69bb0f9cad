"""HTTP client of Stripe for this package. All functions raise BillingError."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from billing.stripe.call_metrics import observed, operation_of
from billing.stripe.stripe_errors import BillingError, translate

TIMEOUT = 20.0
RETRIES = 2
"""Per call, by the SDK, with one Idempotency-Key."""
PAGE = 100

Json = dict[str, Any]


def get(path: str, **params: Any) -> Json:
    return _call("get", path, params)


def post(path: str, *, key: str, **params: Any) -> Json:
    """A repeated `key` gets the first answer for 24 hours."""
    return _call("post", path, params, idempotency_key=key)


def delete(path: str) -> Json:
    return _call("delete", path, {})


def list_all(path: str, **params: Any) -> Iterator[Json]:
    """All objects of a list, newest first."""
    after: Json = {}
    while True:
        page = get(path, limit=PAGE, **params, **after)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def is_configured() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def _call(method: str, path: str, params: Json, **options: Any) -> Json:
    if not is_configured():
        raise BillingError("not_configured", "STRIPE_SECRET_KEY is not set.", retryable=False)
    with observed(operation_of(method, path)):
        return _ask(method, path, params, options)


def _ask(method: str, path: str, params: Json, options: Json) -> Json:
    client = _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_HOST or "")
    try:
        answer = client.raw_request(method, f"/v1/{path}", **params, **options)
    except stripe.StripeError as error:
        raise translate(error) from error
    except ValueError as error:
        # A proxy's error page.
        raise BillingError("provider_error", "The answer is not JSON.", retryable=True) from error
    if not isinstance(answer.data, dict):
        raise BillingError("provider_error", "The answer is not an object.", retryable=True)
    return answer.data


@lru_cache(maxsize=4)
def _client(key: str, host: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": host} if host else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )
