"""Responses with stored files on disk: whole or one range, with validators, or handed over to the proxy.

Django's FileResponse supports neither ranges nor validators.
"""

import os
import re
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.encoding import filepath_to_uri
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from genvid.media_types import media_type_of

CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.IGNORECASE)


def file_response(
    request: HttpRequest, name: str, *, filename: str, cache_control: str, as_attachment: bool = False
) -> HttpResponseBase:
    """The stored file `name`, offered as `filename`. Raises FileNotFoundError.

    Answers `Range` and `If-Range`, 304 for a current copy, and 412 for a failed condition.
    """
    if settings.MEDIA_ACCEL_PREFIX:
        response = _handed_over(name)
    else:
        response = _conditional(request, default_storage.open(name, "rb"))
    if response.status_code != 304:
        response["Content-Type"] = media_type_of(name)
        response["Content-Disposition"] = content_disposition_header(as_attachment, filename) or "inline"
        response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = cache_control
    return response


def _handed_over(name: str) -> HttpResponseBase:
    """The proxy sends the file with ranges and validators, so no thread waits for the client."""
    if not default_storage.exists(name):
        raise FileNotFoundError(name)
    return HttpResponse(headers={"X-Accel-Redirect": settings.MEDIA_ACCEL_PREFIX + filepath_to_uri(name)})


def _conditional(request: HttpRequest, file: IO[bytes]) -> HttpResponseBase:
    facts = os.fstat(file.fileno())
    etag, modified = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"', int(facts.st_mtime)
    refusal: Any = get_conditional_response(request, etag=etag, last_modified=modified)
    if refusal is not None:
        file.close()
    span = request.headers.get("Range") if _is_still_the_same(request, etag, modified) else None
    response = ranged_response(file, facts.st_size, span) if refusal is None else refusal
    response["ETag"], response["Last-Modified"] = etag, http_date(modified)
    return response


def _is_still_the_same(request: HttpRequest, etag: str, modified: int) -> bool:
    """Whether the client's part belongs to the current file. A weak ETag never matches (RFC 9110, 13.1.5)."""
    known = request.headers.get("If-Range")
    return known is None or known.strip() == etag or parse_http_date_safe(known) == modified


def ranged_response(file: IO[bytes], size: int, header: str | None) -> HttpResponseBase:
    """200 for the whole, 206 for one range, 416 for a range outside.

    Several ranges, and one that ends before it begins, get the whole file (RFC 9110, 14.1 and 14.2).
    """
    match = RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", "") or _ends_first(match[1], match[2]):
        whole = FileResponse(file)
        whole["Content-Length"] = str(size)
        return whole
    start, end = _bounds(match[1], match[2], size)
    if start >= size or start > end:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = StreamingHttpResponse(Slice(file, start, end), status=206)
    part["Content-Range"] = f"bytes {start}-{end}/{size}"
    part["Content-Length"] = str(end - start + 1)
    return part


def _ends_first(first: str, last: str) -> bool:
    return bool(first and last) and int(last) < int(first)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        # "-0" asks for nothing, which cannot be satisfied: start beyond the end says so.
        return (max(0, size - int(last)) if int(last) else size), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


class Slice:
    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self.file, self.start, self.end = file, start, end

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        left = self.end - self.start + 1
        while left > 0 and (chunk := self.file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.file.close()
