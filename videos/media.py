"""Links to stored files: signed, short-lived, and answering `Range` so that players can seek.

A bucket signs its own links; for files on disk this module does both, because Django's FileResponse knows no ranges.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core import signing
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from genvid.api.exceptions import not_found_view

SALT = "videos.media"
TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".srt": "application/x-subrip; charset=utf-8"}
CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def signed_link(name: str) -> str:
    """Where the bytes of a stored file can be had for MEDIA_LINK_LIFETIME seconds."""
    if settings.S3_BUCKET:
        return str(default_storage.url(name))
    token = signing.dumps(name, salt=SALT)
    return str(settings.PUBLIC_URL) + reverse("media", args=[token, name.rpartition("/")[2]])


def serve(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The file behind a signed link; 404 when the signature is wrong or too old."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    try:
        path = signing.loads(token, salt=SALT, max_age=settings.MEDIA_LINK_LIFETIME)
        file = default_storage.open(path, "rb")
    except (signing.BadSignature, FileNotFoundError):
        return not_found_view(request)
    response = ranged_response(file, default_storage.size(path), request.headers.get("Range"))
    response["Content-Type"] = TYPES[Path(path).suffix]
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = f"private, max-age={settings.MEDIA_LINK_LIFETIME}"
    return response


def ranged_response(file: IO[bytes], size: int, header: str | None) -> HttpResponseBase:
    """200 whole, 206 for one range, 416 for one that lies outside. Several ranges get the whole file (RFC 9110)."""
    match = RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        whole = FileResponse(file)
        whole["Content-Length"] = str(size)
        return whole
    start, end = _bounds(match[1], match[2], size)
    if start >= size or start > end:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = StreamingHttpResponse(_slice(file, start, end), status=206)
    part["Content-Range"] = f"bytes {start}-{end}/{size}"
    part["Content-Length"] = str(end - start + 1)
    return part


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        # "-0" asks for nothing, which cannot be satisfied: start beyond the end says so.
        return (max(0, size - int(last)) if int(last) else size), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def _slice(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = end - start + 1
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
