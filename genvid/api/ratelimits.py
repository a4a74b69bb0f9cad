"""Counting requests: sliding windows of the library `limits`, atomic in Redis, per process where there is none."""

import time
from dataclasses import dataclass
from functools import cache

import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Standing:
    """Where a caller stands in its window. `reset` is in whole seconds from now."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


def hit(name: str, rate: str, caller: str) -> Standing | None:
    """Count one request of `caller` under `name` against a rate like "60/minute".

    None when the counter cannot be reached: a dead Redis must not take the API down with it.
    """
    return _ask(name, rate, caller, cost=1)


def look(name: str, rate: str, caller: str) -> Standing | None:
    """Where the caller stands, without counting."""
    return _ask(name, rate, caller, cost=0)


def clear(name: str, rate: str, caller: str) -> None:
    item = _parsed(rate)
    try:
        _limiter().clear(item, name, caller)
    except Exception as error:  # noqa: BLE001 - as for `hit`
        logger.warning("rate_limits_unavailable", error=repr(error))


def _ask(name: str, rate: str, caller: str, *, cost: int) -> Standing | None:
    item, limiter = _parsed(rate), _limiter()
    try:
        allowed = limiter.hit(item, name, caller) if cost else limiter.test(item, name, caller)
        window = limiter.get_window_stats(item, name, caller)
    except Exception as error:  # noqa: BLE001 - whatever the storage raises, see `hit`
        logger.warning("rate_limits_unavailable", error=repr(error))
        return None
    return Standing(allowed, item.amount, max(0, int(window.remaining)), max(0, round(window.reset_time - time.time())))


@cache
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(_storage())


def _storage() -> Storage:
    if not settings.REDIS_URL:
        return MemoryStorage()
    return RedisStorage(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, key_prefix="genvid-limits")
