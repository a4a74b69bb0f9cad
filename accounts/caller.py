"""Who is behind a request, as its credentials say: no query is needed to know it."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.request import Request


@dataclass(frozen=True)
class Caller:
    """What DRF holds as `request.user`."""

    user_id: UUID
    account_id: UUID
    role: str
    session_id: UUID | None = None
    """The sign-in behind an access token."""
    key_id: UUID | None = None
    """The API key, where one was used; `user_id` is then who made it."""
    key_scopes: frozenset[str] | None = None
    is_test: bool = False
    """A test key was used: its videos are free, watermarked, and not made by HeyGen."""
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> UUID:
        return self.user_id


def caller_of(request: Request) -> Caller:
    """The caller of an authenticated request."""
    caller = request.user
    if not isinstance(caller, Caller):
        raise TypeError("caller_of() was used on a view that lets anonymous callers in")
    return caller
