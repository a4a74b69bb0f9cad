"""kombu's Redis transport with one client per channel, and without the error that ends a worker when Redis goes away.

kombu makes a new client, with its table of some 170 callbacks, for every message that is published, taken or
acknowledged: a fifth of what a message costs.
"""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as RedisConnectionError

KombuChannel: Any = redis.Channel


class Channel(KombuChannel):
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Clients share the pool of their channel, and are as safe to share. One that blocks has a pool of its own."""
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()
        return self._kept

    def _connparams(self, asynchronous: bool = False) -> Any:
        """A lost connection has given its channels up when they are closed, with messages that they still hold.

        kombu then fails with an AttributeError, which ends the worker; Celery reconnects after a connection error.
        The messages come back after the visibility timeout.
        """
        if self.connection.client is None:
            raise RedisConnectionError("This channel's connection to Redis was lost.")
        return super()._connparams(asynchronous=asynchronous)


class Transport(redis.Transport):
    Channel = Channel
