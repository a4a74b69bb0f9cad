"""Disconnects clients that stop reading their answer or send their body too slowly, under ASGI.

Such a client holds no thread (`genvid.asgi`), but a connection, a file and memory. A WSGI server keeps a thread for
each: there the proxy in front must buffer both ways.
"""

import asyncio
import os
import socket
import stat
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Peer = tuple[str, int]
Acknowledged = Callable[[Peer | None], int | None]
BODY_BYTES_A_SECOND = 1024
DISCONNECT = {"type": "http.disconnect"}
ACKED_AT = 120
"""Offset of `tcpi_bytes_acked` in Linux's `struct tcp_info`, which only grows at its end."""
LOOK_AGAIN_SECONDS = 0.25
"""Lifetime of the table of connections; bounds what many new clients cost the event loop."""


class ClientStalled(Exception):
    pass


class TimedBody:
    """`receive` of one request. A body that is too slow ends as if the client had disconnected, with `is_too_slow` set.

    After `patience` seconds the body must have an average of `BODY_BYTES_A_SECOND`.
    """

    def __init__(self, receive: Receive, patience: float) -> None:
        self._receive, self._patience = receive, patience
        self._began = asyncio.get_running_loop().time()
        self._received = 0
        self._is_whole = False
        self.is_too_slow = False

    async def __call__(self) -> Any:
        if self._is_whole:
            # A later read waits for the disconnect.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline()):
                message = await self._receive()
        except TimeoutError:
            self.is_too_slow = True
            return DISCONNECT
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        return message

    def _deadline(self) -> float:
        return self._began + max(self._patience, self._received / BODY_BYTES_A_SECOND)


async def _is_done(sending: "asyncio.Future[None]", seconds: float) -> bool:
    if not sending.done():
        await asyncio.wait([sending], timeout=seconds)
    return sending.done()


class Connections:
    def __init__(self) -> None:
        self._found: dict[Peer, int] = {}
        self._looked = float("-inf")

    def bytes_acknowledged(self, client: Peer | None) -> int | None:
        """None where unknown, as at times for a connection younger than `LOOK_AGAIN_SECONDS`."""
        descriptor = self._of(client) if client and sys.platform == "linux" else None
        if descriptor is None:
            return None
        try:
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ACKED_AT + 8)
        except OSError:
            return None
        return int(struct.unpack_from("=Q", facts, ACKED_AT)[0]) if len(facts) >= ACKED_AT + 8 else None

    def _of(self, client: Peer) -> int | None:
        descriptor = self._found.get(client)
        if descriptor is not None and _peer(descriptor) == client:
            return descriptor
        self._found.pop(client, None)
        if time.monotonic() - self._looked > LOOK_AGAIN_SECONDS:
            self._found, self._looked = dict(_peers()), time.monotonic()
        return self._found.get(client)


def _peer(descriptor: int) -> Peer | None:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return None
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            host, port, *_ = connection.getpeername()
            return host, port
    except (OSError, TypeError, ValueError):
        # Gone meanwhile, not connected, or no connection over a network.
        return None


def _peers() -> Iterator[tuple[Peer, int]]:
    for entry in list(Path("/proc/self/fd").iterdir()):
        peer = _peer(int(entry.name))
        if peer is not None:
            yield peer, int(entry.name)


connections = Connections()


def timed_send(
    send: Send, client: Peer | None, patience: float, acknowledged: Acknowledged = connections.bytes_acknowledged
) -> Send:
    """`send` that raises ClientStalled when the client takes no byte for `patience` seconds.

    A chunk may wait longer: a slow client empties the system's large buffers slowly. Where the system does not report
    acknowledged bytes, the time of one chunk decides.
    """

    is_stream = False

    async def deliver(message: Any) -> None:
        nonlocal is_stream
        is_stream = is_stream or bool(message.get("more_body"))
        if not is_stream:
            # Headers and short answers never wait: the server buffers them.
            await send(message)
            return
        sending = asyncio.ensure_future(send(message))
        try:
            arrived = acknowledged(client) if not await _is_done(sending, patience / 10) else None
            while not await _is_done(sending, patience):
                before, arrived = arrived, acknowledged(client)
                if arrived is None or arrived == before:
                    raise ClientStalled
            await sending
        finally:
            sending.cancel()

    return deliver
