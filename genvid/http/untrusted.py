"""POSTs to an address that a client chose, protected against SSRF and slow receivers.

One DNS lookup whose every address is checked, a connection to one of those only, no redirects, and one deadline for
everything.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from genvid.http.http_client import USER_AGENT, translate
from genvid.http.http_errors import ForbiddenAddress, Timeout, Unreachable
from genvid.http.public_addresses import IPAddress, resolve_allowing_private, resolve_public, split_url


@dataclass(frozen=True)
class Reply:
    status: int
    excerpt: bytes


def post(
    url: str, body: bytes, *, headers: Mapping[str, str], seconds: float, allow_private: bool, keep_bytes: int
) -> Reply:
    """POSTs `body` once, within `seconds` altogether. Any status is a reply, redirects too. Raises `HttpError`.

    Unless `allow_private`, the address must be https and public.
    """
    parts, until = split_url(url), time.monotonic() + seconds
    if parts.scheme != "https" and not allow_private:
        raise ForbiddenAddress("the address must start with https://")
    host, find = parts.hostname or "", resolve_allowing_private if allow_private else resolve_public
    guard = Guard(find(host, min(seconds, 5.0)), until)
    pool = _pool(parts, guard)
    given = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **headers}
    with guard.watching(), pool:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = pool.urlopen(
            "POST", target, body, given, retries=False, redirect=False, timeout=guard.left, preload_content=False
        )
        try:
            if time.monotonic() >= until:
                # The connection was cut at the deadline: a truncated head looks complete.
                raise TimeoutError("too late")
            return Reply(answer.status, _beginning(answer, keep_bytes))
        finally:
            answer.close()


def _pool(parts: SplitResult, guard: "Guard") -> HTTPConnectionPool:
    if parts.scheme == "https":
        return SecurePool(str(parts.hostname), parts.port, guard=guard, ssl_context=_tls())
    return PlainPool(str(parts.hostname), parts.port, guard=guard)


def _beginning(answer: Any, keep_bytes: int) -> bytes:
    found = bytearray()
    with suppress(urllib3.exceptions.HTTPError, OSError, ValueError):
        while len(found) < keep_bytes and (piece := answer.read1(keep_bytes - len(found), decode_content=False)):
            found += piece
    return bytes(found)


class Guard:
    """Permitted addresses, and a deadline (monotonic seconds) at which the connection is cut."""

    def __init__(self, addresses: Sequence[IPAddress], until: float) -> None:
        self.addresses, self.until = addresses, until
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        return max(self.until - time.monotonic(), 0.001)

    @contextmanager
    def watching(self) -> Iterator[None]:
        timer = threading.Timer(self.left, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise self._explain(error) from error
        finally:
            timer.cancel()
            self._forget()

    def _explain(self, error: Exception) -> Exception:
        if self._connection is None:
            return Unreachable("no connection", sent=False)
        return Timeout("no answer in time") if time.monotonic() >= self.until else translate(error)

    def connect(self, port: int) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self.addresses:
            try:
                found = socket.create_connection((str(address), port), timeout=self.left)
            except OSError as error:
                failure = error
                continue
            if time.monotonic() >= self.until:
                found.close()
                raise TimeoutError("too late")
            # A second handle: the first one is swallowed by the TLS layer while it still shakes hands.
            self._connection = found.dup()
            return found
        raise failure

    def _cut(self) -> None:
        with self._lock, suppress(OSError):
            if self._connection is not None:
                self._connection.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class _Guarded:
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guard = guard

    def _new_conn(self) -> socket.socket:
        try:
            return self.guard.connect(self.port)  # type: ignore[attr-defined]
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error  # type: ignore[arg-type]


class PlainConnection(_Guarded, HTTPConnection):
    pass


class SecureConnection(_Guarded, HTTPSConnection):
    pass


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


@cache
def _tls() -> ssl.SSLContext:
    """Cached: building it reads the certificates from disk."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
