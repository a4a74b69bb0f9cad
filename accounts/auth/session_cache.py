"""Caches each session's current role for 30 s, so that revoked sessions and changed roles take effect before the access
token expires. Callers that change a role or session call `forget_sessions` for an immediate effect.
"""

from uuid import UUID

from accounts.models import Session
from genvid import cache

CACHE_SECONDS = 30
ENDED = ""


def cached_role(session_id: UUID) -> str:
    return cache.remembered(_key(session_id), lambda: Session.objects.role_now(session_id) or ENDED, CACHE_SECONDS)


def forget_sessions(*session_ids: UUID) -> None:
    """Processes without a shared cache see the change after `CACHE_SECONDS`."""
    cache.delete(*[_key(session_id) for session_id in session_ids])


def _key(session_id: UUID) -> str:
    return f"accounts.role:{session_id}"
