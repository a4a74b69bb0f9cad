"""Sends a request and reads a bounded answer, over connections that are pooled per thread and process."""

import ipaddress
import json
import math
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import IncompleteRead
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from genvid.http.form_files import FormFile
from genvid.http.http_errors import ForbiddenAddress, HttpError, Redirected, Timeout, TooLarge, Truncated, Unreachable
from genvid.http.public_addresses import check_public_url, is_public

USER_AGENT = "genvid"
CHUNK_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 5 * 1024 * 1024
CONNECT_SECONDS = 10.0

_local = threading.local()


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return parse_json(self.body)


def parse_json(body: bytes) -> Any:
    """Raises ValueError for anything but JSON, for NaN and infinity (which Python accepts), and for endless nesting."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_parse_float)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def send(
    method: str,
    url: str,
    *,
    timeout: float,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes | BinaryIO | FormFile | None = None,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Response:
    """Send one request, once, and read its answer, whatever its status; a redirect is an error.

    `timeout` is in seconds, for each wait and for the whole body. Unless `allow_private`, only public addresses are
    called. Raises `HttpError`. A file as `body` is sent in pieces, from its present position.
    """
    content = {"params": params, "json": json, "data": body}
    with exchange(method, url, timeout=timeout, allow_private=allow_private, headers=headers, **content) as answer:
        received = bytearray()
        for chunk in read_chunks(answer, deadline=time.monotonic() + timeout):
            received += chunk
            if len(received) > max_bytes:
                raise TooLarge(f"more than {max_bytes} bytes")
        return Response(answer.status_code, answer.headers, bytes(received))


@contextmanager
def exchange(
    method: str,
    url: str,
    *,
    timeout: float,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    **content: Any,
) -> Iterator[requests.Response]:
    if not allow_private:
        check_public_url(url)
    waits = (min(CONNECT_SECONDS, timeout), timeout)
    try:
        answer = _session(allow_private).request(
            method, url, headers=headers, timeout=waits, allow_redirects=False, stream=True, **content
        )
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise translate(error) from error
    with answer:
        if 300 <= answer.status_code < 400:
            raise Redirected(answer.status_code, answer.headers.get("Location"))
        yield answer


def read_chunks(answer: requests.Response, *, deadline: float, decode: bool = True) -> Iterator[bytes]:
    """The chunks of the body, until `deadline` (monotonic seconds).

    `read1` returns whatever has arrived, so a server that sends single bytes cannot exceed the deadline.
    """
    while True:
        try:
            chunk = answer.raw.read1(CHUNK_BYTES, decode_content=decode)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise translate(error) from error
        if not chunk:
            return
        if time.monotonic() > deadline:
            raise Timeout("the answer took too long")
        yield chunk


def translate(error: Exception) -> HttpError:
    """Only a failure to connect proves that nothing was sent; a failed TLS handshake looks like a lost answer."""
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable("no connection in time", sent=False)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return Timeout("no answer in time")
    if _is_caused_by(error, (urllib3.exceptions.IncompleteRead, IncompleteRead)):
        return Truncated("the answer ended early")
    if isinstance(error, ValueError):
        return Unreachable("the request is not valid", sent=False)
    refused = _is_caused_by(error, (urllib3.exceptions.NewConnectionError,))
    return Unreachable(f"connection failed: {type(error).__name__}", sent=not refused)


def _is_caused_by(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    inside = (getattr(error, "reason", None), *error.args)
    return isinstance(error, kinds) or any(_is_caused_by(e, kinds) for e in inside if isinstance(e, BaseException))


def _session(allow_private: bool) -> requests.Session:
    """This thread's session. Keyed by process id too: after a fork the parent's connections must not be used."""
    key = (os.getpid(), allow_private)
    sessions: dict[tuple[int, bool], requests.Session] = _local.__dict__.setdefault("sessions", {})
    if key not in sessions:
        sessions[key] = _new_session(allow_private)
    return sessions[key]


def _new_session(allow_private: bool) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept": "*/*"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if not allow_private:
        for scheme in ("http://", "https://"):
            session.mount(scheme, PublicOnlyAdapter())
    return session


def _check_peer(connected: socket.socket) -> socket.socket:
    """Checks the connected address again: the name is resolved twice, and the answers may differ."""
    peer = ipaddress.ip_address(str(connected.getpeername()[0]).partition("%")[0])
    if not is_public(peer):
        connected.close()
        raise ForbiddenAddress("the host is not on the public internet")
    return connected


class PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


class PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _check_peer(super()._new_conn())


class PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = PublicHTTPConnection


class PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = PublicHTTPSConnection


class PublicOnlyAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": PublicHTTPPool, "https": PublicHTTPSPool}
