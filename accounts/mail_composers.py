"""Composers of the mails of accounts: they choose recipients and make the tokens of links when a mail is sent.

Each returns None when its reason no longer holds.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.auth import email_verification, passwords, staff_access
from accounts.enums import ErasureStatus, ExportStatus, MailKind, ReviewState, Role
from accounts.models import (
    Account,
    AuditEntry,
    Erasure,
    Export,
    Invitation,
    Membership,
    ReviewedText,
    User,
    WebhookEndpoint,
)
from accounts.privacy import exports
from accounts.teams import invitations
from accounts.teams.owner_emails import notice_recipients, owner_recipients, recipient
from genvid.mail.composing import Message, Order, Recipient, composes


@composes(MailKind.VERIFICATION)
def verification(order: Order) -> Message | None:
    user = _active(order.person)
    if user is None or user.email_verified:
        return None
    return _to(user, token=email_verification.verification_token(user))


@composes(MailKind.PASSWORD_RESET)
def password_reset(order: Order) -> Message | None:
    """Called by workers only: the time of the look-up would tell a caller whether the person exists."""
    user = User.objects.filter(email=order.address, is_active=True).first()
    if user is None:
        return None
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    return _to(user, token=passwords.reset_token(user), minutes=minutes)


@composes(MailKind.PASSWORD_CHANGED)
def password_changed(order: Order) -> Message | None:
    user = _active(order.person)
    return _to(user) if user else None


@composes(MailKind.TOTP_CHANGED)
def totp_changed(order: Order) -> Message | None:
    user = _active(order.person)
    return _to(user, is_on=order.data["is_on"]) if user else None


@composes(MailKind.ENDPOINT_OFF)
def endpoint_off(order: Order) -> Message | None:
    off = WebhookEndpoint.objects.filter(pk=order.data["endpoint"], deleted_at=None).exclude(disabled_reason="")
    endpoint = off.select_related("account").first()
    return Message(owner_recipients(endpoint.account_id), {"endpoint": endpoint}) if endpoint else None


@composes(MailKind.INVITATION)
def invitation(order: Order) -> Message | None:
    pending = Invitation.objects.pending(timezone.now()).select_related("account", "invited_by")
    found = pending.filter(pk=order.data["invitation"]).first()
    if found is None:
        return None
    inviter = found.invited_by
    # The receiver may not be registered: the inviter's language is the best guess.
    to = Recipient(found.email, inviter.preferred_language if inviter else "")
    context = {"inviter": inviter and inviter.email, "account": found.account, "role": found.role}
    return Message([to], context | {"token": invitations.token_of(found)})


@composes(MailKind.MEMBER_REMOVED)
def member_removed(order: Order) -> Message | None:
    user = _active(order.person)
    account = Account.objects.filter(pk=order.account).first() if order.account else None
    if user is None or account is None or Membership.objects.filter(user=user, account=account).exists():
        return None
    return _to(user, account=account)


@composes(MailKind.NEW_OWNER)
def new_owner(order: Order) -> Message | None:
    theirs = Membership.objects.filter(user=order.person, account=order.account, role=Role.OWNER)
    membership = theirs.filter(user__is_active=True).select_related("user", "account").first()
    return _to(membership.user, account=membership.account) if membership else None


@composes(MailKind.EXPORT_READY)
def export_ready(order: Order) -> Message | None:
    kept = Export.objects.filter(pk=order.data["export"], status=ExportStatus.READY, expires_at__gt=timezone.now())
    export = kept.select_related("user").first()
    if export is None or export.expires_at is None or not exports.may_mail_link(export.user):
        return None
    return _to(export.user, link=exports.download_link(export) or "", until=export.expires_at)


@composes(MailKind.ERASURE_PLANNED)
def erasure_planned(order: Order) -> Message | None:
    erasure = _erasure(order, ErasureStatus.WAITING)
    return _to(erasure.user, erase_after=erasure.erase_after) if erasure else None


@composes(MailKind.ERASURE_WITHDRAWN)
def erasure_withdrawn(order: Order) -> Message | None:
    erasure = _erasure(order, ErasureStatus.WITHDRAWN)
    return _to(erasure.user) if erasure else None


@composes(MailKind.ACCESS_CHANGED)
def access_changed(order: Order) -> Message | None:
    user = _active(order.person)
    entry = AuditEntry.objects.select_related("user").filter(pk=order.data["entry"]).first()
    if user is None or entry is None or not user.is_superuser:
        return None
    return _to(user, **staff_access.facts_of_change(entry))


@composes(MailKind.TEXT_REVIEWED)
def text_reviewed(order: Order) -> Message | None:
    """To the person who sent the text, if still a member, otherwise to the owners. None once it is decided anew."""
    found = ReviewedText.objects.filter(pk=order.data["text"], state=order.data["state"]).first()
    if found is None or order.account is None:
        return None
    is_member = Membership.objects.filter(user=order.person, account=order.account, user__is_active=True).exists()
    if is_member:
        to = notice_recipients(order.person, order.account)
    else:
        to = owner_recipients(order.account, for_notice=True)
    context = {"text": found.text, "answer": found.answer, "is_allowed": found.state == ReviewState.ALLOWED}
    return Message(to, context | {"is_own": is_member}) if to else None


def _to(user: User, **context: Any) -> Message:
    return Message([recipient(user)], context)


def _active(person: UUID | None) -> User | None:
    found: User | None = User.objects.filter(pk=person, is_active=True).first()
    return found


def _erasure(order: Order, status: ErasureStatus) -> Erasure | None:
    found: Erasure | None = (
        Erasure.objects.filter(pk=order.data["erasure"], status=status, user__is_active=True)
        .select_related("user")
        .first()
    )
    return found
