"""One Redis client per server and process, and the backend of Django's cache that uses it."""

from functools import cache
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

CONNECT_SECONDS, ANSWER_SECONDS = 0.5, 1.0
"""A Redis that hangs costs a request no more than this."""


@cache
def client_of(url: str) -> redis.Redis:
    """Building one costs more than a command: it copies a table of 170 reply parsers."""
    return redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=CONNECT_SECONDS)


class SharedClient(RedisCacheClient):
    def get_client(self, key: Any = None, *, write: bool = False) -> redis.Redis:
        servers: Any = self
        return client_of(servers._servers[servers._get_connection_pool_index(write)])


class SharedClientCache(RedisCache):
    """Django's own makes a client for every call, and a connection pool for every thread or asynchronous context."""

    def __init__(self, server: Any, params: Any) -> None:
        super().__init__(server, params)
        self._class = SharedClient
