"""Caches each session's current role for 30 s, so that revoked sessions and changed roles take effect before the access
token expires. Who changes a role calls `forget_sessions` on commit, who ends sessions `end_sessions`, for an immediate
effect in every process. Processes without a shared cache see it after `CACHE_SECONDS`.
"""

from typing import Any
from uuid import UUID

from accounts.models import Session
from genvid import cache
from genvid.compiled_queries import CompiledQuery
from genvid.fixed_windows import REFUSED

CACHE_SECONDS = 30
ENDED = REFUSED
CHANGED = 1
"""Kept for a moment in place of a role that changed, so that nobody caches what they read before the change."""
CHANGED_SECONDS = 5


def key_of(session_id: UUID) -> str:
    return f"accounts.role:{session_id}"


def current_role(session_id: UUID, cached: Any) -> str | None:
    """The role of an active session, else None. `cached`: the value cached under its key, None when there is none."""
    if cached in (None, CHANGED):
        cached = role_now(session_id) or ENDED
        cache.keep_first(key_of(session_id), cached, CACHE_SECONDS)
    return None if cached == ENDED else str(cached)


def role_now(session_id: UUID) -> str | None:
    """Not cached; None if the session, user or membership is no longer active."""
    return next((role for (role,) in _roles.rows(session_id=session_id)), None)


_roles = CompiledQuery(Session.objects.roles_now)


def forget_sessions(*session_ids: UUID) -> None:
    cache.keep_many(dict.fromkeys(map(key_of, session_ids), CHANGED), CHANGED_SECONDS)


def end_sessions(*session_ids: UUID) -> None:
    """Sessions that ended for good."""
    cache.keep_many(dict.fromkeys(map(key_of, session_ids), ENDED), CACHE_SECONDS)
