"""Where rate limits are counted: in Redis for all processes; in this process's memory without it, or while it is down.

Moving windows store each hit, for small exact limits; `genvid.fixed_windows` counts every request.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from genvid.redis_client import client_of

logger = structlog.get_logger(__name__)
T = TypeVar("T")
RETRY_SECONDS = 5
"""While Redis is down, so that not every caller waits for its timeout."""
_shared_again_at = 0.0


def with_limiter(operation: Callable[[MovingWindowRateLimiter], T]) -> T:
    """Never raises."""
    return in_redis_or_memory(
        lambda: operation(_shared_limiter(settings.REDIS_URL)), lambda: operation(MovingWindowRateLimiter(memory()))
    )


def in_redis_or_memory(in_redis: Callable[[], T], in_memory: Callable[[], T]) -> T:
    global _shared_again_at
    if settings.REDIS_URL and time.monotonic() >= _shared_again_at:
        try:
            return in_redis()
        except Exception as error:  # noqa: BLE001 - whatever the client raises, there is a second best
            _shared_again_at = time.monotonic() + RETRY_SECONDS
            logger.warning("counters_unavailable", error=repr(error))
    return in_memory()


@cache
def memory() -> MemoryStorage:
    return MemoryStorage()


@cache
def _shared_limiter(url: str) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(RedisStorage(url, connection_pool=client_of(url).connection_pool))
