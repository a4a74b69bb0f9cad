"""News from the rooms below."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.dispatch import receiver

from accounts.models import Account
from accounts.signals import account_erasing, account_registered, export_requested
from billing import credits, exporting
from billing.enums import LotSource
from billing.models import Wallet
from billing.services import closing


@receiver(account_registered)
def open_wallet(account: Account, is_first: bool, **_: Any) -> None:
    """A new account gets its wallet, and a person's first one the sign-up credits, in the transaction of its making."""
    Wallet.objects.create(account=account)
    if not is_first:
        return
    credits.grant(
        account.pk,
        settings.SIGNUP_CREDITS,
        source=LotSource.SIGNUP,
        reference=f"signup:{account.pk}",
        description="Welcome credits",
    )


@receiver(export_requested)
def export_money(account_ids: list[UUID], **_: Any) -> dict[str, Any]:
    return exporting.parts_of(account_ids)


@receiver(account_erasing)
def keep_the_ledger_nameless(account_id: UUID, **_: Any) -> str:
    """Wallet, lots, holds, entries and sums stay: they say how much and when, and by whom only as an id."""
    credits.forget_words(account_id)
    return closing.close(account_id)
