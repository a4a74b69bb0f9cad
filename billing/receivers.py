"""News from the rooms below."""

from typing import Any

from django.conf import settings
from django.dispatch import receiver

from accounts.models import Account
from accounts.signals import account_registered
from billing import credits
from billing.enums import LotSource
from billing.models import Wallet


@receiver(account_registered)
def open_wallet(account: Account, **_: Any) -> None:
    """A new account gets its wallet and the sign-up credits, in the transaction of its registration."""
    Wallet.objects.create(account=account)
    credits.grant(
        account.pk,
        settings.SIGNUP_CREDITS,
        source=LotSource.SIGNUP,
        reference=f"signup:{account.pk}",
        description="Welcome credits",
    )
