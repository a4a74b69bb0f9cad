"""Patches of dj-stripe, applied once when the process starts."""

from typing import Any

import stripe
from django.conf import settings
from djstripe.models import Account

# dj-stripe reads an event's object inside the transaction that stores the event.
TIMEOUT = 10.0  # seconds


def apply_patches() -> None:
    # To find an object's account, dj-stripe stores the secret key as plain text and reads the account from Stripe,
    # which a restricted key may not. We have one account and know its id.
    stripe.default_http_client = stripe.RequestsClient(timeout=TIMEOUT)
    Account.get_or_retrieve_for_api_key = classmethod(_our_account)


def _our_account(cls: type[Account], api_key: str) -> Any:
    return cls.objects.get_or_create(id=settings.STRIPE_ACCOUNT_ID)[0]
