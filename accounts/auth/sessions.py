"""Lists and revokes sessions. Access tokens of a revoked session are refused."""

from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit_log
from accounts.auth import session_cache
from accounts.caller import Caller
from accounts.enums import AuditAct, Revocation
from accounts.models import Session
from genvid.errors import InvalidState, NotFound

logger = structlog.get_logger(__name__)


def active_sessions_of(user_id: UUID) -> QuerySet[Session]:
    return Session.objects.alive().filter(user=user_id, expires_at__gt=timezone.now())


@transaction.atomic
def end_session(session: Session, reason: Revocation, act: AuditAct) -> bool:
    if not session.revoke(reason):
        return False
    audit_log.record(act, account_id=session.account_id, user_id=session.user_id, session=session.pk)
    transaction.on_commit(partial(session_cache.end_sessions, session.pk), robust=True)
    return True


def revoke_reused_session(session: Session) -> None:
    """For a refresh token that was used twice: one of the two users has stolen it."""
    if end_session(session, Revocation.REUSE, AuditAct.TOKEN_REUSED):
        logger.warning("refresh_token_reused", session_id=str(session.pk), user_id=str(session.user_id))


def end_session_by_id(caller: Caller, session_id: UUID) -> None:
    """Raises NotFound for an ended session and for another user's."""
    session = active_sessions_of(caller.user_id).filter(pk=session_id).first()
    if session is None or not end_session(session, Revocation.LOGOUT, AuditAct.SIGNED_OUT):
        raise NotFound


@transaction.atomic
def end_all_sessions(caller: Caller) -> None:
    ended = revoke_all_sessions(caller.user_id, Revocation.LOGOUT)
    audit_log.record_by(caller, AuditAct.SIGNED_OUT, sessions=ended)


@transaction.atomic
def end_sessions_by_staff(sessions: QuerySet[Session], *, account_id: UUID, staff_id: UUID, token: UUID) -> int:
    """End those of `sessions`, all of one account, that are alive. Raises AlreadyDone, and InvalidState for none."""
    ids = list(sessions.filter(account=account_id, revoked_at=None).values_list("pk", flat=True))
    said = {"sessions": len(ids)} if len(ids) != 1 else {"session": ids[0]}
    audit_log.record_once(AuditAct.STAFF_SESSIONS_ENDED, token, staff_id=staff_id, account_id=account_id, **said)
    alive = Session.objects.alive().filter(pk__in=ids)
    ended = alive.update(revoked_at=timezone.now(), revoked_reason=Revocation.STAFF)
    if not ended:
        raise InvalidState("No session is open.")
    transaction.on_commit(partial(session_cache.end_sessions, *ids), robust=True)
    return ended


def revoke_all_sessions(user_id: UUID, reason: Revocation) -> int:
    """Returns their number. Call it inside the transaction of the change that is the reason."""
    alive = Session.objects.alive().filter(user=user_id)
    ids = list(alive.values_list("pk", flat=True))
    # Not filtered by ids: a session opened in between is revoked too, and is refused within CACHE_SECONDS.
    ended = alive.update(revoked_at=timezone.now(), revoked_reason=reason)
    transaction.on_commit(partial(session_cache.end_sessions, *ids), robust=True)
    return ended
