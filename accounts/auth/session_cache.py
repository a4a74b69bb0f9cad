"""Whether the caller behind an access token is still welcome: asked of the database at most twice a minute a session.

A token says who somebody was when it was signed, up to 15 minutes ago. Signing out, losing a role or being deactivated
shows here within `SECONDS`, and at once where the change calls `forget`.
"""

from uuid import UUID

from accounts.models import Session
from genvid import cache

CACHE_SECONDS = 30
ENDED = ""


def cached_role(session_id: UUID) -> str:
    """The caller's present role, or `ENDED`."""
    return cache.remembered(_key(session_id), lambda: Session.objects.role_now(session_id) or ENDED, CACHE_SECONDS)


def forget_sessions(*session_ids: UUID) -> None:
    """Have the next request ask again. Processes that share no cache learn it after `SECONDS`."""
    cache.delete(*[_key(session_id) for session_id in session_ids])


def _key(session_id: UUID) -> str:
    return f"accounts.role:{session_id}"
