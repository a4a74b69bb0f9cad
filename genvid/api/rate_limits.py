"""How often somebody may ask. Each request takes one of a caller's minute; every answer says how many are left.

An API key counts by itself, a person by account, and whoever has not proved who they are by address. What a plan
entitles to is the composition root's to name (`REQUEST_LIMIT_OF`): the base knows no plans.
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
from genvid.rate_limit_storage import counting

IPV6_NETWORK = 64
"""What a provider gives to one household: its addresses are one neighbour, not 2**64."""
ENTITLEMENT_SECONDS = 60
"""After so long a changed plan shows."""


@dataclass(frozen=True)
class RateLimitState:
    """Where somebody stands after this request. `resets_in`: seconds until the whole limit is there again."""

    limit: int
    remaining: int
    resets_in: int
    is_over: bool = False

    @property
    def headers(self) -> dict[str, str]:
        figures = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.resets_in}
        return {f"RateLimit-{name}": str(figure) for name, figure in figures.items()}

    def enforce(self) -> None:
        """Raises RateLimited."""
        if self.is_over:
            raise RateLimited(retry_after=max(1, self.resets_in))


def of_caller(account_id: UUID, user_id: UUID, key_id: UUID | None) -> RateLimitState:
    """Count a request of somebody who has proved who they are."""
    subject = f"key:{key_id}" if key_id else f"user:{user_id}:{account_id}"
    return hit(RateLimitItemPerMinute(_entitlement(account_id)), subject)


def of_anonymous(request: HttpRequest, limit: RateLimitItem | None = None) -> RateLimitState:
    """Count a request by the address that it came from."""
    return hit(limit or settings.RATE_LIMIT_ANONYMOUS, f"address:{neighbourhood(client_address(request))}")


def hit(limit: RateLimitItem, subject: str) -> RateLimitState:
    """Take one, if one is left."""
    taken = counting(lambda limiter: limiter.hit(limit, subject))
    stats = counting(lambda limiter: limiter.get_window_stats(limit, subject))
    resets_in = max(0, math.ceil(stats.reset_time - time.time()))
    return RateLimitState(limit.amount, max(0, stats.remaining) if taken else 0, resets_in, is_over=not taken)


def neighbourhood(address: str) -> str:
    """An IPv4 address as it is, the /64 of an IPv6 address."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def _entitlement(account_id: UUID) -> int:
    """Requests a minute."""
    if settings.RATE_LIMIT_CALLERS:
        return int(settings.RATE_LIMIT_CALLERS)
    find: Callable[[UUID], int] = import_string(settings.REQUEST_LIMIT_OF)
    return cache.remembered(f"api.entitlement:{account_id}", lambda: find(account_id), ENTITLEMENT_SECONDS)
