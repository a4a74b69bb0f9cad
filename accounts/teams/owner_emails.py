"""E-mail addresses of an account's owners."""

from uuid import UUID

from accounts.enums import Role
from accounts.models import User
from genvid.mail.composing import Recipient


def owner_emails(account_id: UUID) -> list[str]:
    return [owner.email for owner in owner_recipients(account_id)]


def owner_recipients(account_id: UUID, *, for_notice: bool = False) -> list[Recipient]:
    """With `for_notice`, only the owners who want optional mails."""
    owners = User.objects.filter(is_active=True, memberships__account=account_id, memberships__role=Role.OWNER)
    if for_notice:
        owners = owners.filter(email_notifications=True)
    return [recipient(owner) for owner in owners.order_by("email")]


def notice_recipients(person_id: UUID | None, account_id: UUID | None) -> list[Recipient]:
    members = User.objects.filter(pk=person_id, is_active=True, memberships__account=account_id)
    return [recipient(member) for member in members.filter(email_notifications=True)]


def recipient(user: User) -> Recipient:
    return Recipient(user.email, user.preferred_language)
