"""Whom to write to about an account."""

from uuid import UUID

from accounts.enums import Role
from accounts.models import User


def owners_of(account_id: UUID, *, for_notice: bool = False) -> list[str]:
    """E-mail addresses of its owners. `for_notice`: of those alone who want mails that they can do without."""
    owners = User.objects.filter(is_active=True, memberships__account=account_id, memberships__role=Role.OWNER)
    if for_notice:
        owners = owners.filter(email_notifications=True)
    return list(owners.order_by("email").values_list("email", flat=True))
