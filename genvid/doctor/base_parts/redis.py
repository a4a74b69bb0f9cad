"""Redis: the broker, the cache and the rate limits."""

from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings

from genvid.doctor.checks import Finding, check, ok, warning

ADVICE = "Check REDIS_URL and that Redis runs. Work waits for the sweeps until it answers."
SECONDS = 3.0


@check("redis", seconds=10, advice=ADVICE)
def ask_redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        where = f"none: the broker is {settings.EMBEDDED_BROKER_FILE}"
        yield ok(where) if settings.EMBEDDED else warning(where, "Set REDIS_URL where more than one process serves.")
        return
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    with client:
        facts: Any = client.info()
    found = f"Redis {facts['redis_version']}, {facts['used_memory_human']} in use"
    if facts.get("maxmemory") and facts.get("maxmemory_policy") != "noeviction":
        advice = "Set maxmemory-policy to noeviction: others throw messages away when the memory is full."
        yield warning(f"{found}, maxmemory-policy {facts['maxmemory_policy']}", advice)
    else:
        yield ok(found)
