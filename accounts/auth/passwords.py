"""Password reset and change. Both revoke every session of the user."""

import uuid

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit_log
from accounts.auth import credentials, email_verification, sessions, sign_in, throttling
from accounts.auth.tokens import TokenPair
from accounts.caller import Caller
from accounts.enums import AuditAct, MailKind, Revocation
from accounts.models import Membership, User
from genvid.errors import NotAuthenticated, TokenInvalid
from genvid.mail import outbox

generator = PasswordResetTokenGenerator()
"""Its tokens end with PASSWORD_RESET_TIMEOUT seconds, a new password, a new address or a sign-in."""


def request_password_reset(email: str) -> None:
    """Queues a mail for unknown addresses too, so that timing reveals nothing; the worker drops it."""
    if throttling.take_mail_allowance(email, "password-reset"):
        mail_password_reset(email.lower())


def mail_password_reset(email: str) -> None:
    outbox.write(MailKind.PASSWORD_RESET, address=email)


def mail_password_changed(user_id: uuid.UUID) -> None:
    outbox.write(MailKind.PASSWORD_CHANGED, person=user_id)


def reset_token(user: User) -> str:
    return f"{user.pk.hex}.{generator.make_token(user)}"


def reset_password(token: str, new_password: str) -> User:
    """Also verifies the address. Raises TokenInvalid, and ValidationFailed on `new_password`."""
    user = _user_of_token(token)
    verified_at = user.email_verified_at or timezone.now()
    old = _set_password(user, new_password)
    with transaction.atomic():
        _save_password(
            user, old, or_else=TokenInvalid(), email_verified_at=Coalesce(F("email_verified_at"), verified_at)
        )
        throttling.remember_network(user.pk)
        account_id = _oldest_account_id(user)
        audit_log.record(AuditAct.PASSWORD_RESET, account_id=account_id, user_id=user.pk)
        if user.email_verified_at is None:
            audit_log.record(AuditAct.EMAIL_VERIFIED, account_id=account_id, user_id=user.pk)
            email_verification.send_mailbox_verified(user.pk, user.email)
    throttling.attempt(user.email).succeed()
    user.email_verified_at = verified_at
    return user


def change_password(caller: Caller, user: User, *, current_password: str, new_password: str) -> TokenPair:
    """Returns tokens of a new session. Raises RateLimited, ValidationFailed on `current_password` or `new_password`."""
    credentials.confirm_identity(user, password=current_password, field="current_password")
    old = _set_password(user, new_password)
    with transaction.atomic():
        _save_password(user, old, or_else=NotAuthenticated())
        audit_log.record_by(caller, AuditAct.PASSWORD_CHANGED)
        membership = Membership.objects.filter(user=user, account=caller.account_id).first()
        if membership is None:
            raise NotAuthenticated
        return sign_in.open_session(membership)


def _user_of_token(token: str) -> User:
    name, _, proof = token.partition(".")
    try:
        user: User | None = User.objects.filter(pk=uuid.UUID(name), is_active=True).first()
    except ValueError:
        raise TokenInvalid from None
    if user is None or not generator.check_token(user, proof):
        raise TokenInvalid
    return user


def _set_password(user: User, new_password: str) -> str:
    """Set it without saving and return the old hash. Hashing takes 20 ms, so no lock may be held here."""
    sign_in.check_password(new_password, user, field="new_password")
    old: str = user.password
    user.set_password(new_password)
    return old


def _save_password(user: User, old: str, *, or_else: Exception, **more: object) -> None:
    """Raises `or_else` if the password, address or activity of the user changed since it was read."""
    as_known = User.objects.filter(pk=user.pk, password=old, email=user.email, is_active=True)
    if as_known.update(password=user.password, **more) != 1:
        raise or_else
    sessions.revoke_all_sessions(user.pk, Revocation.PASSWORD)
    mail_password_changed(user.pk)


def _oldest_account_id(user: User) -> uuid.UUID | None:
    return Membership.objects.filter(user=user).order_by("created_at").values_list("account", flat=True).first()
