"""Storage of rate limit counters: Redis for all processes; this process's memory without Redis or while it is down."""

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar, cast

import structlog
from django.conf import settings
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

logger = structlog.get_logger(__name__)
T = TypeVar("T")
RETRY_SECONDS = 5
"""While Redis is down, so that not every caller waits for its timeout."""
OWN = ""
_shared_again_at = 0.0


def with_limiter(operation: Callable[[RateLimiter], T], *, exactly: bool = False) -> T:
    """Call `operation` with the limiter; without Redis it counts in memory and never raises.

    `exactly`: a moving window that stores each hit, for small limits. Otherwise a fixed window from the first hit,
    which is cheap and has a known end.
    """
    global _shared_again_at
    if settings.REDIS_URL and time.monotonic() >= _shared_again_at:
        try:
            return operation(_limiter(settings.REDIS_URL, exactly))
        except Exception as error:  # noqa: BLE001 - whatever the client raises, there is a second best
            _shared_again_at = time.monotonic() + RETRY_SECONDS
            logger.warning("counters_unavailable", error=repr(error))
    return operation(_limiter(OWN, exactly))


@cache
def _limiter(url: str, exactly: bool) -> RateLimiter:
    return MovingWindowRateLimiter(_storage(url)) if exactly else FixedWindowRateLimiter(_storage(url))


@cache
def _storage(url: str) -> Storage:
    if url == OWN:
        return MemoryStorage()
    return cast(Storage, storage_from_string(url, socket_timeout=1.0, socket_connect_timeout=0.5))
