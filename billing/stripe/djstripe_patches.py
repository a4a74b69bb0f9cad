"""Patches of dj-stripe, applied once when the process starts."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.apps import apps
from django.conf import settings
from djstripe.models import Account, Event
from djstripe.models.base import StripeModel

from billing.stripe.call_metrics import observe, operation_of

# dj-stripe reads an event's object inside the transaction that stores the event.
TIMEOUT = 10.0  # seconds


def apply_patches() -> None:
    # To find an object's account, dj-stripe stores the secret key as plain text and reads the account from Stripe,
    # which a restricted key may not. We have one account and know its id.
    stripe.default_http_client = TimedClient(timeout=TIMEOUT)
    Account.get_or_retrieve_for_api_key = classmethod(_our_account)
    # In titles of the admin: dj-stripe's own words name customers and cards, ask the database, and fail at a status
    # that Stripe has added since.
    for model in apps.get_app_config("djstripe").get_models():
        if issubclass(model, StripeModel) and model is not Event:
            model.__str__ = _stripe_id  # type: ignore[method-assign]


class TimedClient(stripe.RequestsClient):
    """Observes dj-stripe's own calls, which do not pass through `stripe_client`."""

    def request(  # type: ignore[override] # as Stripe's own classes do
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        operation, started = operation_of(method, urlsplit(url).path), time.monotonic()
        try:
            answer = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError:
            observe(operation, "unreachable", started)
            raise
        observe(operation, "ok" if answer[1] < 400 else f"http_{answer[1]}", started)
        return answer


def _stripe_id(self: StripeModel) -> str:
    return str(self.id)


def _our_account(cls: type[Account], api_key: str) -> Any:
    return cls.objects.get_or_create(id=settings.STRIPE_ACCOUNT_ID)[0]
