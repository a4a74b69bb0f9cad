"""Receivers of the catalogue for signals of accounts."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import account_erasing
from avatars import releases


@receiver(account_erasing, dispatch_uid="avatars.withdraw_from_erased")
def withdraw_from_erased(*, account_id: UUID, **_: Any) -> str:
    """Withdraw the rows released to the erased account; they stay the operator's. Returns that nothing is left."""
    releases.withdraw_all_releases(account_id)
    return ""
