"""Rate limits: requests per caller and minute, with the remaining number on every answer.

An API key counts by itself, a person by account, an anonymous caller by address. The composition root names the plan's
limit (`REQUEST_LIMIT_OF`), because the base knows no plans.
"""

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from limits import RateLimitItem, RateLimitItemPerMinute

from genvid import cache
from genvid.api.client_address import client_address
from genvid.errors import RateLimited
from genvid.rate_limit_storage import with_limiter

IPV6_NETWORK = 64
"""Providers give a /64 to one household: its addresses share a limit."""
PLAN_LIMIT_SECONDS = 60


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


def count_caller(account_id: UUID, user_id: UUID, key_id: UUID | None) -> RateLimitState:
    subject = f"key:{key_id}" if key_id else f"user:{user_id}:{account_id}"
    return hit(RateLimitItemPerMinute(_plan_limit(account_id)), subject)


def count_anonymous(request: HttpRequest, limit: RateLimitItem | None = None) -> RateLimitState:
    return hit(limit or settings.RATE_LIMIT_ANONYMOUS, f"address:{rate_limit_network(client_address(request))}")


def hit(limit: RateLimitItem, subject: str) -> RateLimitState:
    taken = with_limiter(lambda limiter: limiter.hit(limit, subject))
    stats = with_limiter(lambda limiter: limiter.get_window_stats(limit, subject))
    resets_in = max(0, math.ceil(stats.reset_time - time.time()))
    return RateLimitState(limit.amount, max(0, stats.remaining) if taken else 0, resets_in, is_over=not taken)


def rate_limit_network(address: str) -> str:
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def _plan_limit(account_id: UUID) -> int:
    if settings.RATE_LIMIT_CALLERS:
        return int(settings.RATE_LIMIT_CALLERS)
    find: Callable[[UUID], int] = import_string(settings.REQUEST_LIMIT_OF)
    return cache.remembered(f"api.entitlement:{account_id}", lambda: find(account_id), PLAN_LIMIT_SECONDS)
