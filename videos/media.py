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
from django.utils.http import content_disposition_header

from genvid.api.exceptions import error_object, not_found_view
from genvid.api.renderers import error_response
from genvid.bucket_links import LONGEST_SECONDS, bucket_link
from genvid.media_types import media_type_of
from videos.models import Video

SALT = "videos.media"
LASTING_SALT = "videos.media.lasting"
LASTING_SECONDS = LONGEST_SECONDS
LONGEST_FILENAME = 80
"""Characters, without the suffix."""
NOT_IN_FILENAMES = frozenset('\\/:*?"<>|')
CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def signed_link(name: str, *, filename: str = "") -> str:
    """Where the bytes of a stored file can be had for MEDIA_LINK_LIFETIME seconds.

    `filename`: the name that it is saved under, left out that of the stored file.
    """
    if settings.S3_BUCKET:
        return bucket_link(name, filename=filename)
    return _local_link(name, SALT, filename)


def filename_of(video: Video, stored: str) -> str:
    """What a file of this video is saved as: its title, or the first words of its script, with the file's suffix."""
    words = video.title or " ".join(re.sub(r"<[^>]*>", " ", video.script).split()[:8])
    allowed = (" " if letter in NOT_IN_FILENAMES or not letter.isprintable() else letter for letter in words)
    plain = " ".join("".join(allowed).split())[:LONGEST_FILENAME].strip(" .")
    return (plain or "video") + Path(stored).suffix


def lasting_link(name: str) -> str:
    """The same for a week, for somebody who gets a copy of all their data."""
    if settings.S3_BUCKET:
        return bucket_link(name, seconds=LASTING_SECONDS)
    return _local_link(name, LASTING_SALT)


def _local_link(name: str, salt: str, filename: str = "") -> str:
    token = signing.dumps([name, filename] if filename else name, salt=salt)
    return str(settings.PUBLIC_URL) + reverse("media", args=[token, name.rpartition("/")[2]])


def _behind(token: str) -> tuple[Path, str]:
    """The stored file's path, and what it is saved as. Raises BadSignature for a link that is forged or too old."""
    try:
        signed = signing.loads(token, salt=SALT, max_age=settings.MEDIA_LINK_LIFETIME)
    except signing.BadSignature:
        signed = signing.loads(token, salt=LASTING_SALT, max_age=LASTING_SECONDS)
    name, filename = signed if isinstance(signed, list) else (signed, "")
    return Path(name), filename or Path(name).name


def serve(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The file behind a signed link; 404 when the signature is wrong or too old, or the name is not the file's own."""
    if request.method not in ("GET", "HEAD"):
        error = error_object("method_not_allowed", f'Method "{request.method}" not allowed.')
        refusal = error_response(405, error, request)
        refusal["Allow"] = "GET, HEAD"
        return refusal
    try:
        path, filename = _behind(token)
        if name != path.name:
            raise signing.BadSignature("The signature is that of another name.")
        file = default_storage.open(str(path), "rb")
    except (signing.BadSignature, FileNotFoundError):
        return not_found_view(request)
    response = ranged_response(file, default_storage.size(str(path)), request.headers.get("Range"))
    response["Content-Type"] = media_type_of(path.name)
    response["Content-Disposition"] = content_disposition_header(False, filename) or "inline"
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
    part = StreamingHttpResponse(Slice(file, start, end), status=206)
    part["Content-Range"] = f"bytes {start}-{end}/{size}"
    part["Content-Length"] = str(end - start + 1)
    return part


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        # "-0" asks for nothing, which cannot be satisfied: start beyond the end says so.
        return (max(0, size - int(last)) if int(last) else size), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


class Slice:
    """Bytes `start` to `end` of a file. Closed with the response, whether or not anybody has read it."""

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
