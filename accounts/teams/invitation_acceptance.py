"""Acceptance of invitations. Only the user of the invited address may accept; the mailed token proves the address."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit_log
from accounts.auth import credentials, email_verification, sign_in
from accounts.enums import AuditAct
from accounts.models import Account, Invitation, Membership, User
from accounts.privacy import erasures
from accounts.teams.invitations import invitation_of
from genvid.api.serializers import refuse_field
from genvid.errors import Conflict, NotAuthenticated, PermissionDenied, TokenInvalid

SIGN_IN_FIRST = "This address is registered: sign in as its person, or send its password."


def accept_invitation(token: str, *, signed_in_as: UUID | None, full_name: str = "", **proof: str) -> sign_in.SignedIn:
    """`proof`: password, totp_code. Raises TokenInvalid; for new users ValidationFailed on `password`; for registered
    users NotAuthenticated, PermissionDenied, Conflict for a member, and the errors of `verify_credentials`.
    """
    invitation = invitation_of(token)
    user = User.objects.filter(email=invitation.email).first()
    is_new = user is None
    if user is None:
        user = _new_user(invitation.email, proof.get("password", ""), full_name)
    elif signed_in_as != user.pk:
        user = _authenticated_user(user, is_somebody=signed_in_as is not None, **proof)
    try:
        with transaction.atomic():
            return _join(invitation, user, is_new=is_new)
    except IntegrityError:
        if is_new and User.objects.filter(email=user.email).exists():
            # A concurrent request has registered the address.
            raise NotAuthenticated(SIGN_IN_FIRST) from None
        if Membership.objects.filter(account=invitation.account_id, user=user.pk).exists():
            raise Conflict("You belong to this account already.") from None
        raise


def _new_user(email: str, password: str, full_name: str) -> User:
    """Returns an unsaved user: hashing takes 20 ms, so it is done before the transaction."""
    if not password:
        raise refuse_field("password", "Choose a password: this address is not registered yet.")
    user = User(email=email, full_name=full_name)
    sign_in.check_password(password, user)
    user.password = make_password(password)
    return user


def _authenticated_user(user: User, *, is_somebody: bool, password: str = "", totp_code: str = "") -> User:
    if password:
        return credentials.verify_credentials(email=user.email, password=password, code=totp_code).user
    if is_somebody:
        raise PermissionDenied("This invitation is for somebody else: sign in as that person.")
    raise NotAuthenticated(SIGN_IN_FIRST)


def _join(invitation: Invitation, user: User, *, is_new: bool) -> sign_in.SignedIn:
    account = Account.objects.select_for_update(no_key=True).get(pk=invitation.account_id)
    # Of concurrent requests, one deletes the row.
    deleted, _ = Invitation.objects.pending(timezone.now()).filter(pk=invitation.pk).delete()
    if deleted != 1:
        raise TokenInvalid
    if is_new:
        user.save(force_insert=True)
    sign_in.record_sign_in(user)
    erasures.withdraw_erasure(user)
    _mark_email_verified(user)
    membership = Membership.objects.create(
        user=user, account=account, role=invitation.role, last_used_at=timezone.now()
    )
    _record_join(invitation, user, is_new=is_new)
    return sign_in.SignedIn(user, membership, sign_in.open_session(membership, is_new_member=True))


def _mark_email_verified(user: User) -> None:
    user.email_verified_at = user.email_verified_at or timezone.now()
    unverified = User.objects.filter(pk=user.pk, email_verified_at=None)
    if unverified.update(email_verified_at=user.email_verified_at):
        email_verification.send_mailbox_verified(user.pk, user.email)


def _record_join(invitation: Invitation, user: User, *, is_new: bool) -> None:
    if is_new:
        audit_log.record(AuditAct.REGISTERED, account_id=invitation.account_id, user_id=user.pk)
    audit_log.record(
        AuditAct.MEMBER_JOINED,
        account_id=invitation.account_id,
        user_id=user.pk,
        role=invitation.role,
        invited_by=invitation.invited_by_id,
    )
