"""Changes to dj-stripe's behaviour, applied once when the process starts."""

from typing import Any

import stripe
from django.conf import settings
from djstripe.models import Account

TIMEOUT = 10.0
"""Seconds: dj-stripe reads an event's object inside the transaction that stores the event."""


def apply_patches() -> None:
    """Bounds dj-stripe's calls, and keeps the secret key out of the database.

    To find an object's account, dj-stripe stores the key as plain text and asks Stripe for the account, which a
    restricted key may not read. We have one account and know its name.
    """
    stripe.default_http_client = stripe.RequestsClient(timeout=TIMEOUT)
    Account.get_or_retrieve_for_api_key = classmethod(_our_account)


def _our_account(cls: type[Account], api_key: str) -> Any:
    return cls.objects.get_or_create(id=settings.STRIPE_ACCOUNT_ID)[0]
