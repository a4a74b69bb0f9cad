"""Creation, resending and revocation of invitations."""

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from accounts.caller import Caller
from accounts.enums import AuditAct, MailKind, Scope
from accounts.models import AuditEntry, Invitation, Membership
from accounts.teams.members import lock_team
from genvid.api.serializers import refuse_field
from genvid.errors import Conflict, NotFound, RateLimited, TokenInvalid
from genvid.mail import outbox

INVITATION_LIFETIME = timedelta(days=7)
MAX_PENDING_INVITATIONS = 50
MAX_MAILS_PER_DAY = 100
"""Per account, revoked invitations included, so that nobody sends spam by revoking and inviting again."""
RESEND_INTERVAL = timedelta(minutes=1)
SALT = "accounts.invitation"


def token_of(invitation: Invitation) -> str:
    return signing.dumps({"invitation": str(invitation.pk)}, salt=SALT)


def invitation_of(token: str) -> Invitation:
    """Raises TokenInvalid for a token that is forged, expired, used or revoked."""
    try:
        claims = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise TokenInvalid from None
    pending = Invitation.objects.pending(timezone.now()).select_related("account")
    invitation: Invitation | None = pending.filter(pk=claims["invitation"]).first()
    if invitation is None:
        raise TokenInvalid
    return invitation


@transaction.atomic
def create_invitation(caller: Caller, *, email: str, role: str) -> Invitation:
    """Does equal work for known and unknown addresses. Raises ValidationFailed on `email`, Conflict, RateLimited."""
    lock_team(caller, Scope.TEAM_MANAGE)
    email, now = email.lower(), timezone.now()
    theirs = Invitation.objects.filter(account=caller.account_id)
    if Membership.objects.filter(account=caller.account_id, user__email=email).exists():
        raise refuse_field("email", "Belongs to the account already.")
    if theirs.pending(now).filter(email=email).exists():
        raise refuse_field("email", "Is invited already: send that invitation again, or take it back first.")
    if theirs.pending(now).count() >= MAX_PENDING_INVITATIONS:
        raise Conflict(f"An account has at most {MAX_PENDING_INVITATIONS} open invitations; take one back first.")
    theirs.filter(email=email).delete()  # an expired one
    invitation: Invitation = theirs.create(
        account_id=caller.account_id,
        email=email,
        role=role,
        invited_by_id=caller.user_id,
        sent_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    _record_and_mail(caller, invitation)
    return invitation


@transaction.atomic
def resend_invitation(caller: Caller, invitation_id: UUID) -> Invitation:
    """Also extends the lifetime. Raises NotFound, and RateLimited within `RESEND_INTERVAL`."""
    lock_team(caller, Scope.TEAM_MANAGE)
    invitation, now = _get_pending(caller, invitation_id), timezone.now()
    if invitation.sent_at > now - RESEND_INTERVAL:
        wait = RESEND_INTERVAL - (now - invitation.sent_at)
        raise RateLimited("It was just sent; wait a little.", retry_after=1 + int(wait.total_seconds()))
    invitation.sent_at, invitation.expires_at = now, now + INVITATION_LIFETIME
    invitation.save(update_fields=["sent_at", "expires_at"])
    _record_and_mail(caller, invitation)
    return invitation


@transaction.atomic
def revoke_invitation(caller: Caller, invitation_id: UUID) -> None:
    lock_team(caller, Scope.TEAM_MANAGE)
    invitation = _get_pending(caller, invitation_id)
    audit_log.record_by(caller, AuditAct.INVITATION_REVOKED, email=invitation.email, role=invitation.role)
    invitation.delete()


def _get_pending(caller: Caller, invitation_id: UUID) -> Invitation:
    mine = Invitation.objects.pending(timezone.now()).filter(account=caller.account_id)
    invitation: Invitation | None = mine.filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    return invitation


def _record_and_mail(caller: Caller, invitation: Invitation) -> None:
    """Call it under the account's lock: the limit counts entries of the audit log. Raises RateLimited."""
    since = timezone.now() - timedelta(days=1)
    sent = AuditEntry.objects.filter(account=caller.account_id, act=AuditAct.INVITATION_SENT, created_at__gt=since)
    if sent.count() >= MAX_MAILS_PER_DAY:
        raise RateLimited(f"An account sends at most {MAX_MAILS_PER_DAY} invitations a day.", retry_after=3600)
    audit_log.record_by(caller, AuditAct.INVITATION_SENT, email=invitation.email, role=invitation.role)
    _queue_mail(invitation)


def mail_invitation(invitation_id: UUID) -> None:
    """Does nothing for an invitation that was revoked or accepted."""
    found = Invitation.objects.filter(pk=invitation_id).first()
    if found is not None:
        _queue_mail(found)


def _queue_mail(invitation: Invitation) -> None:
    kind, about = MailKind.INVITATION, str(invitation.pk)
    outbox.write(kind, account=invitation.account_id, address=invitation.email, invitation=about)
