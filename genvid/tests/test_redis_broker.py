"""One Redis client per channel of the broker."""

from collections.abc import Iterator
from typing import Any

import pytest

from genvid.celery import app
from genvid.redis_broker import Channel, Transport


@pytest.fixture
def channel() -> Iterator[Any]:
    with app.connection_for_write() as connection:
        yield connection.default_channel


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_connections_to_redis_use_this_transport(scheme: str) -> None:
    assert app.connection_for_write(f"{scheme}://localhost/0").get_transport_cls() is Transport


def test_a_channel_keeps_its_client(channel: Any) -> None:
    assert isinstance(channel, Channel)
    with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
        assert first is second
        assert first.ping() is True


def test_a_client_that_blocks_is_one_of_its_own(channel: Any) -> None:
    blocking = channel._create_client(asynchronous=True)
    assert blocking is not channel._create_client()
    assert blocking.connection_pool is not channel._create_client().connection_pool


def test_a_channel_whose_connection_was_lost_fails_with_an_error_after_which_celery_reconnects() -> None:
    connection = app.connection_for_write()
    channel: Any = connection.default_channel
    # What a worker's consumer does first when its connection is lost; a channel with messages still has its transport.
    channel.connection.client = None
    with pytest.raises(connection.connection_errors, match="was lost"), channel.conn_or_acquire():
        pass


def test_a_channel_whose_pool_was_replaced_makes_a_new_client(channel: Any) -> None:
    before = channel._create_client()
    channel._disconnect_pools()
    assert channel._create_client() is not before
    assert channel._create_client().ping() is True
