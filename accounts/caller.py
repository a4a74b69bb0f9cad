"""The authenticated caller of a request."""

from dataclasses import dataclass
from uuid import UUID

from rest_framework.request import Request


@dataclass(frozen=True)
class Caller:
    """The value of DRF's `request.user`: built from the credentials, without a query for the user."""

    user_id: UUID
    account_id: UUID
    role: str
    session_id: UUID | None = None
    key_id: UUID | None = None
    """Set for API keys; `user_id` is then the key's creator."""
    key_scopes: frozenset[str] | None = None
    is_test: bool = False
    """A test key: its videos are free, watermarked and not rendered by HeyGen."""
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> UUID:
        return self.user_id


def caller_of(request: Request) -> Caller:
    caller = request.user
    if not isinstance(caller, Caller):
        raise TypeError("caller_of() was used on a view that allows anonymous requests")
    return caller
