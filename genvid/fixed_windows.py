"""Counts requests in fixed windows, in the same Redis trip that reads cached values of their caller."""

import math
import time
from dataclasses import dataclass
from functools import cache as once
from typing import Any

from django.conf import settings
from django.core.cache import cache as django_cache
from django.core.cache.backends.redis import RedisSerializer
from redis.commands.core import Script

from genvid import cache
from genvid.rate_limit_storage import in_redis_or_memory, memory
from genvid.redis_client import client_of

REFUSED = 0
"""A cached value that refuses the caller: the request is not counted, so that nobody uses up another's limit."""
SCRIPT = """
local found = {0, 0}
local is_refused = false
for i = 2, #KEYS do
    found[i + 1] = redis.call('GET', KEYS[i])
    is_refused = is_refused or found[i + 1] == '0'
end
if not is_refused then
    found[1] = redis.call('INCR', KEYS[1])
    found[2] = redis.call('PTTL', KEYS[1])
    if found[2] < 0 then
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        found[2] = tonumber(ARGV[1])
    end
end
return found
"""
_loads = RedisSerializer().loads


@dataclass(frozen=True)
class Window:
    """`count`: requests in it, this one included; 0 when it was not counted. `resets_in`: seconds, rounded up."""

    count: int
    resets_in: int


def count(name: str, seconds: int, *cached: str) -> tuple[Window, list[Any]]:
    """Count a request under `name`, and read the values of these cache keys. None: not cached. Never raises."""
    return in_redis_or_memory(
        lambda: _count_in_redis(name, seconds, cached), lambda: _count_in_memory(name, seconds, cached)
    )


def _count_in_redis(name: str, seconds: int, cached: tuple[str, ...]) -> tuple[Window, list[Any]]:
    keys = [f"window:{name}", *map(django_cache.make_key, cached)]
    number, left, *found = _script(settings.REDIS_URL)(keys=keys, args=[seconds * 1000])
    return Window(number, math.ceil(left / 1000)), [None if value is None else _loads(value) for value in found]


@once
def _script(url: str) -> Script:
    return client_of(url).register_script(SCRIPT)


def _count_in_memory(name: str, seconds: int, cached: tuple[str, ...]) -> tuple[Window, list[Any]]:
    found = [cache.peek(key) for key in cached]
    if REFUSED in found:
        return Window(0, 0), found
    number = memory().incr(name, seconds)
    return Window(number, max(0, math.ceil(memory().get_expiry(name) - time.time()))), found
