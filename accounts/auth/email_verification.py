"""Verification of e-mail addresses by a mailed link."""

from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit_log
from accounts.auth import account_creation, throttling
from accounts.enums import AuditAct, MailKind
from accounts.models import Membership, User
from accounts.signals import mailbox_verified
from genvid.compiled_queries import CompiledQuery
from genvid.errors import EmailNotVerified, TokenInvalid
from genvid.mail import outbox
from genvid.process_cache import ProcessCache

logger = structlog.get_logger(__name__)
VERIFICATION_SALT = "accounts.email-verification"
REMEMBERED_SECONDS = 5.0
_verified = ProcessCache(REMEMBERED_SECONDS, size=10_000)
"""By the user's id. Only a superuser takes a verification back, in the admin."""


def verification_token(user: User) -> str:
    return signing.dumps({"user": str(user.pk), "email": user.email}, salt=VERIFICATION_SALT)


def request_verification(user: User) -> None:
    """Send the link again, unless the address is verified or its mail allowance is used up."""
    if not user.email_verified and throttling.take_mail_allowance(user.email, "verification"):
        mail_verification(user.pk)


def mail_verification(user_id: UUID) -> None:
    outbox.write(MailKind.VERIFICATION, person=user_id)


def verify_email(token: str) -> User:
    """Raises TokenInvalid for a token that is forged, expired, used, or issued for an earlier address."""
    try:
        claims = signing.loads(token, salt=VERIFICATION_SALT, max_age=settings.EMAIL_VERIFICATION_LIFETIME)
    except signing.BadSignature:
        raise TokenInvalid from None
    _mark_verified(UUID(claims["user"]), claims["email"])
    user: User = User.objects.get(pk=claims["user"])
    return user


@transaction.atomic
def _mark_verified(user_id: UUID, email: str) -> None:
    waiting = User.objects.filter(pk=user_id, email=email, email_verified_at=None)
    if waiting.update(email_verified_at=timezone.now()) != 1:
        raise TokenInvalid
    accounts = Membership.objects.filter(user=user_id).order_by("created_at").values_list("account", flat=True)
    audit_log.record(AuditAct.EMAIL_VERIFIED, account_id=accounts.first(), user_id=user_id)
    send_mailbox_verified(user_id, email)


def send_mailbox_verified(user_id: UUID, email: str) -> None:
    """Call it in the transaction that sets `email_verified_at`."""
    mailbox_verified.send(sender=User, email=email, account_id=account_creation.oldest_owned_account_id(user_id))


def require_verified_email(user_id: UUID) -> None:
    """Raises EmailNotVerified."""
    if settings.REQUIRE_VERIFIED_EMAIL and not _verified.remembered(user_id, lambda: _is_verified(user_id)):
        raise EmailNotVerified


def _is_verified(user_id: UUID) -> bool | None:
    # None is not remembered: a verification counts at once.
    return bool(_found_verified.rows(user_id=user_id)) or None


def _verified_users(user_id: UUID) -> QuerySet[User, Any]:
    return User.objects.filter(pk=user_id, email_verified_at__isnull=False).values_list("pk")


_found_verified = CompiledQuery(_verified_users)


def forget_verifications() -> None:
    """Other processes learn of a verification that was taken back within REMEMBERED_SECONDS."""
    _verified.clear()
