"""Spaces calls to HeyGen evenly over all processes, so that it refuses none of them for their number."""

import time
from functools import cache
from threading import Lock

from django.conf import settings
from redis.commands.core import Script

from genvid.rate_limit_storage import in_redis_or_memory
from genvid.redis_client import client_of

CALLS_PER_SECOND = 45
"""Of one operation. HeyGen answers about fifty; the rest is for clocks and networks that are no metronomes."""
MAX_WAIT_SECONDS = 10.0
"""A caller holds a lease. Beyond this HeyGen may refuse the call, which costs a retry and no video."""
RESERVE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
if turn - now > tonumber(ARGV[2]) then
    return tonumber(ARGV[2])
end
redis.call('SET', KEYS[1], string.format('%.0f', turn + tonumber(ARGV[1])), 'PX', 60000)
return turn - now
"""
"""By the clock of Redis, so that those of workers may differ."""
_lock, _turns = Lock(), dict[str, float]()


def wait_for_turn(operation: str) -> None:
    """Returns when a call of this operation, named with its server, may be sent. Never raises."""
    wait = reserve_turn(operation)
    if wait > 0:
        time.sleep(wait)


def reserve_turn(operation: str) -> float:
    """Seconds until the caller's turn, which nobody else has; at most MAX_WAIT_SECONDS. Never raises."""
    return in_redis_or_memory(lambda: _reserve_in_redis(operation), lambda: _reserve_in_memory(operation))


def _reserve_in_redis(operation: str) -> float:
    space, most = 1_000_000 // CALLS_PER_SECOND, round(MAX_WAIT_SECONDS * 1_000_000)
    return int(_script(settings.REDIS_URL)(keys=[f"heygen.turn:{operation}"], args=[space, most])) / 1_000_000


@cache
def _script(url: str) -> Script:
    return client_of(url).register_script(RESERVE)


def _reserve_in_memory(operation: str) -> float:
    with _lock:
        now = time.perf_counter()
        turn = max(now, _turns.get(operation, 0.0))
        if turn - now > MAX_WAIT_SECONDS:
            return MAX_WAIT_SECONDS
        _turns[operation] = turn + 1 / CALLS_PER_SECOND
        return turn - now
