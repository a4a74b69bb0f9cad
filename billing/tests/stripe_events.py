"""Test helper: Stripe's events and their signatures, and a stubbed client of Stripe's SDK."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_save
from django.test import Client

from billing.models import StripeSync
from billing.stripe import webhook_endpoint

SECRET = "whsec_of_the_tests_endpoint"
REFUND = {"id": "re_1", "object": "refund", "charge": "ch_1", "amount": 500}
CHARGE = {"id": "ch_1", "object": "charge", "status": "succeeded", "amount": 1200, "amount_refunded": 500}


def event_of(kind: str = "refund.created", obj: dict[str, Any] | None = None, *, event_id: str = "evt_1") -> bytes:
    """A snapshot event (https://docs.stripe.com/api/events/object)."""
    event = {
        "id": event_id,
        "object": "event",
        "api_version": settings.STRIPE_API_VERSION,
        "created": 1_780_000_000,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        "data": {"object": REFUND if obj is None else obj},
    }
    return json.dumps(event).encode()


def signature_of(body: bytes, *, secret: str = SECRET, at: int | None = None) -> str:
    """https://docs.stripe.com/webhooks/signature: HMAC-SHA256 of `t.body`."""
    moment = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"


def path() -> str:
    return webhook_endpoint.webhook_url().removeprefix(settings.PUBLIC_URL)


def deliver(body: bytes, signature: str | None = None, **more: Any) -> Any:
    """Signed with SECRET unless `signature` is given. Exceptions become 500."""
    client = Client(raise_request_exception=False)
    headers = {"Stripe-Signature": signature_of(body) if signature is None else signature, **more.pop("headers", {})}
    return client.post(path(), body, content_type="application/json", headers=headers, **more)


class StubbedStripeClient(stripe.HTTPClient):
    """Answers from `objects`, 404 for other addresses; None: a connection error. Records requests in `asked`."""

    name = "table"

    def __init__(self, objects: dict[str, dict[str, Any] | None]) -> None:
        super().__init__()
        self.objects = objects
        self.asked: list[str] = []
        self.versions: set[str] = set()

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> tuple[str, int, dict[str, str]]:
        address = url.partition("/v1")[2].partition("?")[0]
        self.asked.append(f"{method.upper()} {address}")
        self.versions.add(headers["Stripe-Version"])
        found = self.objects.get(address, {})
        if found is None:
            raise stripe.APIConnectionError("nobody there")
        missing = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing"}}
        return json.dumps(found or missing), 200 if found else 404, {}

    def close(self) -> None:
        pass

    def _should_retry(self, *_: Any, **__: Any) -> bool:
        return False


@contextmanager
def failing_sync_requests() -> Iterator[None]:
    """Each write of a StripeSync is followed by another write and an error in its transaction."""

    def fail(**_: object) -> None:
        apps.get_model("djstripe", "IdempotencyKey").objects.create(action="written before the failure", livemode=False)
        raise RuntimeError("out of order")

    post_save.connect(fail, sender=StripeSync, weak=False)
    try:
        yield
    finally:
        assert post_save.disconnect(fail, sender=StripeSync)
