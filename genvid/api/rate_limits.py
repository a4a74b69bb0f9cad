"""Rate limits: requests per caller and minute, with the remaining number on every answer.

An API key counts by itself, a person by account, an anonymous caller by address. The composition root names the plan's
limit (`REQUEST_LIMIT_OF`), because the base knows no plans.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from limits import RateLimitItem, RateLimitItemPerMinute

from genvid import cache, fixed_windows
from genvid.api.client_address import client_address
from genvid.errors import RateLimited
from genvid.fixed_windows import Window

IPV6_NETWORK = 64
"""Providers give a /64 to one household: its addresses share a limit."""
PLAN_LIMIT_SECONDS = 60
SECONDS = 60
COUNTED = "_rate_limit_state"


@dataclass(frozen=True)
class RateLimitState:
    """The limit after this request. `resets_in`: seconds until the whole limit is available again."""

    limit: int
    remaining: int
    resets_in: int
    is_over: bool = False

    @property
    def headers(self) -> dict[str, str]:
        figures = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.resets_in}
        return {f"RateLimit-{name}": str(figure) for name, figure in figures.items()}

    def enforce(self) -> None:
        if self.is_over:
            raise RateLimited(retry_after=max(1, self.resets_in))


def count_caller(request: HttpRequest, account_id: UUID, user_id: UUID, key_id: UUID | None, cached: str) -> Any:
    """Count a request with credentials, once, and return the value cached under `cached`, None when there is none.

    One Redis trip. `RateLimitState` of the request: `counted`.
    """
    if not settings.RATE_LIMITS or counted(request) is not None:
        return cache.peek(cached)
    subject = f"key:{key_id}" if key_id else f"user:{user_id}:{account_id}"
    plan = [] if settings.RATE_LIMIT_CALLERS else [_plan_key(account_id)]
    window, (value, *limits) = fixed_windows.count(subject, SECONDS, cached, *plan)
    if window.count:
        limit = _plan_limit(account_id, limits[0]) if limits else int(settings.RATE_LIMIT_CALLERS)
        setattr(request, COUNTED, _state(RateLimitItemPerMinute(limit), window))
    return value


def counted(request: HttpRequest) -> RateLimitState | None:
    """The state of the caller's limit after this request; None when it was not counted."""
    return getattr(request, COUNTED, None)


def count_anonymous(request: HttpRequest, limit: RateLimitItem | None = None) -> RateLimitState:
    return hit(limit or settings.RATE_LIMIT_ANONYMOUS, f"address:{rate_limit_network(client_address(request))}")


def hit(limit: RateLimitItem, subject: str) -> RateLimitState:
    window, _ = fixed_windows.count(f"{limit.get_expiry()}:{subject}", limit.get_expiry())
    return _state(limit, window)


def _state(limit: RateLimitItem, window: Window) -> RateLimitState:
    left = limit.amount - window.count
    return RateLimitState(limit.amount, max(0, left), window.resets_in, is_over=left < 0)


def rate_limit_network(address: str) -> str:
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def _plan_key(account_id: UUID) -> str:
    return f"api.entitlement:{account_id}"


def _plan_limit(account_id: UUID, known: int | None) -> int:
    if known is not None:
        return known
    find: Callable[[UUID], int] = import_string(settings.REQUEST_LIMIT_OF)
    return cache.remembered(_plan_key(account_id), lambda: find(account_id), PLAN_LIMIT_SECONDS)
