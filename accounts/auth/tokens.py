"""JSON Web Tokens: 15-minute access tokens with account and role, and rotating refresh tokens."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.caller import Caller
from accounts.models import Session
from genvid.errors import NotAuthenticated, TokenInvalid
from genvid.process_cache import ProcessCache


@dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token expires."""
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name


@dataclass(frozen=True)
class VerifiedToken:
    caller: Caller
    expires_at: int
    """Seconds since 1970."""


# What a signature proves does not change; whether the session is active is asked anew for each request.
_verified = ProcessCache(60, size=5000)
_LEEWAY = cast("int", settings.SIMPLE_JWT["LEEWAY"])


@dataclass(frozen=True)
class RefreshClaims:
    session_id: UUID
    jti: str


def new_refresh_token() -> RefreshToken:
    return RefreshToken()


def rebuild_refresh_token(jti: str, expires_at: datetime) -> RefreshToken:
    """Sign again the token with this id and these times: tokens are not stored."""
    token = RefreshToken()
    token["jti"] = jti
    token.set_exp(from_time=expires_at - token.lifetime)
    token.set_iat(at_time=expires_at - token.lifetime)
    return token


def token_expires_at(token: RefreshToken) -> datetime:
    return datetime.fromtimestamp(token["exp"], tz=UTC)


def sign_token_pair(session: Session, role: str, refresh: RefreshToken) -> TokenPair:
    """`refresh` must be the current token of the session."""
    refresh["sid"] = str(session.pk)
    access = AccessToken()
    access["user_id"] = str(session.user_id)
    access["account_id"] = str(session.account_id)
    access["role"] = role
    access["sid"] = str(session.pk)
    return TokenPair(str(access), str(refresh), int(access.lifetime.total_seconds()))


def read_access_token(raw: str) -> Caller:
    """Raises NotAuthenticated. The signature of a token is verified once a minute in each process."""
    verified = _verified.remembered(raw, lambda: _verify_access_token(raw))
    if verified.expires_at + _LEEWAY <= time.time():
        raise NotAuthenticated
    return verified.caller


def _verify_access_token(raw: str) -> VerifiedToken:
    try:
        claims = _decoded(AccessToken, raw)
        ids = [UUID(claims[name]) for name in ("user_id", "account_id", "sid")]
        caller = Caller(user_id=ids[0], account_id=ids[1], role=str(claims["role"]), session_id=ids[2])
        return VerifiedToken(caller, int(claims["exp"]))
    except (TokenError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise NotAuthenticated from error


def read_refresh_token(raw: str) -> RefreshClaims:
    """Raises TokenInvalid. Checks the signature and lifetime only, not whether the session is active."""
    try:
        claims = _decoded(RefreshToken, raw)
        return RefreshClaims(UUID(claims["sid"]), str(claims["jti"]))
    except (TokenError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise TokenInvalid from error


def _decoded(kind: type[Token], raw: bytes | str) -> dict[str, Any]:
    text = raw if isinstance(raw, bytes) else raw.encode("ascii")
    token: Any = kind(text)  # type: ignore[arg-type]
    return dict(token.payload)
