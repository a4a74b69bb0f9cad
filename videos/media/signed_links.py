"""Signed, short-lived links to stored files, with `Range` support; a bucket signs its own."""

import re
from pathlib import Path

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from genvid.api.exceptions import not_found_view, refuse_method
from genvid.bucket_links import MAX_LIFETIME_SECONDS, bucket_link
from genvid.file_responses import file_response
from videos.models import Video

SALT = "videos.media"
LASTING_SALT = "videos.media.lasting"
LASTING_SECONDS = MAX_LIFETIME_SECONDS
MAX_FILENAME = 80
NOT_IN_FILENAMES = frozenset('\\/:*?"<>|')


def signed_link(name: str, *, filename: str = "") -> str:
    if settings.S3_BUCKET:
        return bucket_link(name, filename=filename)
    return _local_link(name, SALT, filename)


def filename_of(video: Video, stored: str) -> str:
    words = video.title or " ".join(re.sub(r"<[^>]*>", " ", video.script or "").split()[:8])
    allowed = (" " if char in NOT_IN_FILENAMES or not char.isprintable() else char for char in words)
    plain = " ".join("".join(allowed).split())[:MAX_FILENAME].strip(" .")
    return (plain or "video") + Path(stored).suffix


def lasting_link(name: str) -> str:
    if settings.S3_BUCKET:
        return bucket_link(name, seconds=LASTING_SECONDS)
    return _local_link(name, LASTING_SALT)


def _local_link(name: str, salt: str, filename: str = "") -> str:
    token = signing.dumps([name, filename] if filename else name, salt=salt)
    return str(settings.PUBLIC_URL) + reverse("media", args=[token, name.rpartition("/")[2]])


def _read_token(token: str) -> tuple[Path, str]:
    """The stored file's path and its download name. Raises BadSignature for a forged or expired link."""
    try:
        signed = signing.loads(token, salt=SALT, max_age=settings.MEDIA_LINK_LIFETIME)
    except signing.BadSignature:
        signed = signing.loads(token, salt=LASTING_SALT, max_age=LASTING_SECONDS)
    name, filename = signed if isinstance(signed, list) else (signed, "")
    return Path(name), filename or Path(name).name


def serve_file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        return refuse_method(request, "GET", "HEAD")
    try:
        path, filename = _read_token(token)
        if name != path.name:
            raise signing.BadSignature("The signature is that of another name.")
        cache_control = f"private, max-age={settings.MEDIA_LINK_LIFETIME}"
        return file_response(request, str(path), filename=filename, cache_control=cache_control)
    except (signing.BadSignature, FileNotFoundError):
        return not_found_view(request)
