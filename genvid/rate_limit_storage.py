"""Where tries and requests are counted: in Redis for all processes, in this one where there is none or it is dead."""

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
TRY_AGAIN_SECONDS = 5
"""A dead Redis costs one caller its timeout in this time, not every caller."""
OWN = ""
_shared_again_at = 0.0


def counting(deed: Callable[[RateLimiter], T], *, exactly: bool = False) -> T:
    """What `deed` makes of the limiter. Never raises for Redis: nobody is locked out because it is gone.

    `exactly`: each hit is kept and ages by itself, for limits of some dozens. Otherwise one counter begins with the
    first hit and ends a window later: it costs next to nothing, and everybody can say when it ends.
    """
    global _shared_again_at
    if settings.REDIS_URL and time.monotonic() >= _shared_again_at:
        try:
            return deed(_limiter(settings.REDIS_URL, exactly))
        except Exception as error:  # noqa: BLE001 - whatever the client raises, there is a second best
            _shared_again_at = time.monotonic() + TRY_AGAIN_SECONDS
            logger.warning("counters_unavailable", error=repr(error))
    return deed(_limiter(OWN, exactly))


@cache
def _limiter(url: str, exactly: bool) -> RateLimiter:
    return MovingWindowRateLimiter(_storage(url)) if exactly else FixedWindowRateLimiter(_storage(url))


@cache
def _storage(url: str) -> Storage:
    if url == OWN:
        return MemoryStorage()
    return cast(Storage, storage_from_string(url, socket_timeout=1.0, socket_connect_timeout=0.5))
