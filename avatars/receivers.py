"""What the catalogue does when an account ends."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import account_erasing
from avatars import releases


@receiver(account_erasing, dispatch_uid="avatars.take_back_from_erased")
def take_back_from_erased(*, account_id: UUID, **_: Any) -> str:
    """The faces and voices stay the operator's, and are released to nobody. Returns that nothing is left."""
    releases.withdraw_all_releases(account_id)
    return ""
