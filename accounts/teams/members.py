"""Roles, removal of members, leaving, and transfer of ownership."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit_log
from accounts.auth import credentials, session_cache
from accounts.caller import Caller
from accounts.enums import AuditAct, MailKind, Revocation, Role, Scope
from accounts.models import Account, ApiKey, Membership, Session, User
from accounts.permissions import allows
from genvid.api.serializers import refuse_field
from genvid.errors import Conflict, NotAuthenticated, NotFound, PermissionDenied
from genvid.mail import outbox

OWNERS_ONLY = "Only an owner decides about owners."
LAST_OWNER = "You are the last owner: transfer the ownership first (POST team/transfer-ownership)."


@dataclass(frozen=True)
class Team:
    account: Account
    me: Membership

    def member(self, user_id: UUID) -> Membership | None:
        return Membership.objects.filter(account=self.account, user=user_id).select_related("user").first()


def lock_team(caller: Caller, scope: Scope) -> Team:
    """Lock the account and check the caller's permission again, so that two owners cannot remove each other at once."""
    account = Account.objects.select_for_update(no_key=True).get(pk=caller.account_id)
    me = Membership.objects.filter(account=account, user=caller.user_id).first()
    if me is None:
        raise NotAuthenticated
    if not allows(replace(caller, role=me.role), scope):
        raise PermissionDenied
    return Team(account, me)


def rename_account(caller: Caller, *, name: str) -> None:
    Account.objects.filter(pk=caller.account_id).update(name=name)


@transaction.atomic
def change_role(caller: Caller, user_id: UUID, *, role: str) -> Membership:
    """Raises NotFound, Conflict for the caller's own role, PermissionDenied if an admin changes an owner."""
    team, them = _lock_team_of_member(caller, user_id)
    if them.user_id == team.me.user_id:
        raise Conflict("Nobody changes their own role; to hand the account over, use POST team/transfer-ownership.")
    _check_may_change_roles(team.me, {them.role, role})
    if them.role != role:
        audit_log.record_by(caller, AuditAct.ROLE_CHANGED, user=user_id, before=them.role, after=role)
        _set_role(them, role)
    return them


@transaction.atomic
def remove_member(caller: Caller, user_id: UUID) -> None:
    """Raises NotFound, Conflict for the caller, PermissionDenied if an admin removes an owner."""
    team, them = _lock_team_of_member(caller, user_id)
    if them.user_id == team.me.user_id:
        raise Conflict("To go yourself, use POST team/leave.")
    _check_may_change_roles(team.me, {them.role})
    audit_log.record_by(
        caller, AuditAct.MEMBER_REMOVED, user=user_id, role=them.role, keys_revoked=_delete_membership(them)
    )
    mail_removal(user_id, caller.account_id)


@transaction.atomic
def leave_account(caller: Caller) -> None:
    team = lock_team(caller, Scope.SELF)
    others = Membership.objects.filter(account=team.account).exclude(pk=team.me.pk)
    if team.me.role == Role.OWNER and not others.owners().exists():
        raise Conflict(LAST_OWNER)
    audit_log.record_by(caller, AuditAct.MEMBER_LEFT, role=team.me.role, keys_revoked=_delete_membership(team.me))


def transfer_ownership(caller: Caller, *, user_id: UUID, password: str) -> None:
    """The caller becomes admin. Raises RateLimited, and ValidationFailed on `user_id` or `password`."""
    # Before the lock: checking a password takes its time.
    credentials.confirm_identity(User.objects.get(pk=caller.user_id), password=password)
    with transaction.atomic():
        team = lock_team(caller, Scope.ACCOUNT_OWN)
        heir = team.member(user_id)
        if heir is None or not heir.user.is_active:
            raise refuse_field("user_id", "Is no member of this account.")
        if heir.pk == team.me.pk:
            raise refuse_field("user_id", "You are the owner already.")
        audit_log.record_by(caller, AuditAct.OWNERSHIP_TRANSFERRED, user=user_id)
        _set_role(heir, Role.OWNER)
        _set_role(team.me, Role.ADMIN)


def mail_removal(user_id: UUID, account_id: UUID) -> None:
    outbox.write(MailKind.MEMBER_REMOVED, person=user_id, account=account_id)


def mail_new_owner(user_id: UUID, account_id: UUID) -> None:
    outbox.write(MailKind.NEW_OWNER, person=user_id, account=account_id)


def _lock_team_of_member(caller: Caller, user_id: UUID) -> tuple[Team, Membership]:
    team = lock_team(caller, Scope.TEAM_MANAGE)
    them = team.member(user_id)
    if them is None:
        raise NotFound
    return team, them


def _check_may_change_roles(me: Membership, roles: set[str]) -> None:
    if Role.OWNER in roles and me.role != Role.OWNER:
        raise PermissionDenied(OWNERS_ONLY)


def _set_role(member: Membership, role: str) -> None:
    if role == Role.OWNER != member.role:
        mail_new_owner(member.user_id, member.account_id)
    Membership.objects.filter(pk=member.pk).update(role=role)
    member.role = role
    _tell_cache_on_commit(session_cache.forget_sessions, _active_sessions(member))


def _delete_membership(member: Membership) -> int:
    now, sessions = timezone.now(), _active_sessions(member)
    _tell_cache_on_commit(session_cache.end_sessions, sessions)
    sessions.update(revoked_at=now, revoked_reason=Revocation.MEMBERSHIP)
    Membership.objects.filter(pk=member.pk).delete()
    # Keys need their creator's membership anyway; revoked, they stay invalid if the creator joins again.
    keys = ApiKey.objects.filter(account=member.account_id, created_by=member.user_id, revoked_at=None)
    return keys.update(revoked_at=now)


def _active_sessions(member: Membership) -> QuerySet[Session]:
    return Session.objects.alive().filter(user=member.user_id, account=member.account_id)


def _tell_cache_on_commit(change: Callable[..., None], sessions: QuerySet[Session]) -> None:
    ids = list(sessions.values_list("pk", flat=True))
    transaction.on_commit(partial(change, *ids), robust=True)
