"""Downloads a file in a stream, bounded in size and time."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import requests

from genvid.http.http_client import exchange, read_chunks
from genvid.http.http_errors import BadStatus, ForbiddenAddress, RangeRefused, TooLarge, Truncated, WrongType
from genvid.http.public_addresses import split_url

STALL_SECONDS = 30.0
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class Head:
    """The announced properties of a file. `bytes` counts the whole file; None when not announced."""

    bytes: int | None
    etag: str | None


@dataclass(frozen=True)
class Download:
    bytes: int
    content_type: str
    etag: str | None


def download(
    url: str,
    sink: BinaryIO,
    *,
    max_bytes: int,
    timeout: float,
    allowed_hosts: Sequence[str] | None,
    allow_private: bool,
    expected_types: Sequence[str] | None = None,
    start: int = 0,
    etag: str | None = None,
    begin: Callable[[Head], None] | None = None,
) -> Download:
    """Write the file at `url` into `sink`. Raises an `HttpError`; the bytes in the sink then are a valid prefix.

    `timeout` is in seconds for the whole download. `allowed_hosts`: names, or suffixes with a leading dot; None allows
    any. `expected_types`: beginnings of content types, like "video/". `start` resumes after that many bytes, if the
    file still has `etag`. `begin` receives the head, and may raise to stop.
    """
    check_host(url, allowed_hosts)
    deadline = time.monotonic() + timeout
    stall = min(STALL_SECONDS, timeout)
    with exchange("GET", url, timeout=stall, allow_private=allow_private, headers=_headers(start, etag)) as answer:
        _check_answer(answer, start, etag, expected_types)
        expected = _expected_bytes(answer)
        if expected is not None and start + expected > max_bytes:
            raise TooLarge(f"{start + expected} bytes, more than {max_bytes}")
        if begin is not None:
            begin(Head(None if expected is None else start + expected, answer.headers.get("ETag")))
        received = _copy(answer, sink, limit=max_bytes - start, deadline=deadline)
        if expected is not None and received != expected:
            raise Truncated(f"{received} of {expected} bytes")
        return Download(start + received, _content_type(answer), answer.headers.get("ETag"))


def check_host(url: str, allowed_hosts: Sequence[str] | None) -> None:
    host = split_url(url).hostname or ""
    if allowed_hosts is None or any(_matches(host, entry.lower()) for entry in allowed_hosts):
        return
    raise ForbiddenAddress(f"{host or 'no host'} is not an allowed host")


def _matches(host: str, entry: str) -> bool:
    return host == entry or (entry.startswith(".") and (host.endswith(entry) or host == entry[1:]))


def _headers(start: int, etag: str | None) -> Mapping[str, str]:
    """Identity encoding, so that Content-Length counts the bytes of the file."""
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    if start and etag and not etag.startswith("W/"):
        headers["If-Range"] = etag
    return headers


def _check_answer(
    answer: requests.Response, start: int, etag: str | None, expected_types: Sequence[str] | None
) -> None:
    if start and answer.status_code in (200, 416):
        raise RangeRefused(f"answered {answer.status_code} to a request for the rest")
    if answer.status_code != (206 if start else 200):
        raise BadStatus(answer.status_code)
    if start and _range_start(answer) != start:
        raise RangeRefused("answered with another part of the file")
    # Not every server that knows Range knows If-Range.
    if start and etag and answer.headers.get("ETag", etag) != etag:
        raise RangeRefused("answered with a part of another file")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongType("the file came encoded")
    kind = _content_type(answer)
    if expected_types is not None and not kind.startswith(tuple(expected_types)):
        raise WrongType(f"the file is {kind or 'of no type'}")


def _range_start(answer: requests.Response) -> int | None:
    match = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _content_type(answer: requests.Response) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _expected_bytes(answer: requests.Response) -> int | None:
    announced = answer.headers.get("Content-Length", "")
    chunked = "Transfer-Encoding" in answer.headers
    return int(announced) if announced.isdecimal() and not chunked else None


def _copy(answer: requests.Response, sink: BinaryIO, *, limit: int, deadline: float) -> int:
    received = 0
    for chunk in read_chunks(answer, deadline=deadline, decode=False):
        received += len(chunk)
        if received > limit:
            raise TooLarge(f"{limit} bytes more is all that fits")
        sink.write(chunk)
    return received
