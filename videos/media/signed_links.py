"""Signed, short-lived links to stored files, with `Range` support for players.

A bucket signs its own links; for files on disk this module does.
"""

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
LONGEST_FILENAME = 80
"""Characters, without the suffix."""
NOT_IN_FILENAMES = frozenset('\\/:*?"<>|')


def signed_link(name: str, *, filename: str = "") -> str:
    """A link to a stored file, good for MEDIA_LINK_LIFETIME seconds. `filename`: what it is saved as."""
    if settings.S3_BUCKET:
        return bucket_link(name, filename=filename)
    return _local_link(name, SALT, filename)


def filename_of(video: Video, stored: str) -> str:
    """The video's title, or the first words of its script, with the file's suffix."""
    words = video.title or " ".join(re.sub(r"<[^>]*>", " ", video.script).split()[:8])
    allowed = (" " if letter in NOT_IN_FILENAMES or not letter.isprintable() else letter for letter in words)
    plain = " ".join("".join(allowed).split())[:LONGEST_FILENAME].strip(" .")
    return (plain or "video") + Path(stored).suffix


def lasting_link(name: str) -> str:
    """A link that is good for a week, for data exports."""
    if settings.S3_BUCKET:
        return bucket_link(name, seconds=LASTING_SECONDS)
    return _local_link(name, LASTING_SALT)


def _local_link(name: str, salt: str, filename: str = "") -> str:
    token = signing.dumps([name, filename] if filename else name, salt=salt)
    return str(settings.PUBLIC_URL) + reverse("media", args=[token, name.rpartition("/")[2]])


def _behind(token: str) -> tuple[Path, str]:
    """The stored file's path and its download name. Raises BadSignature for a forged or expired link."""
    try:
        signed = signing.loads(token, salt=SALT, max_age=settings.MEDIA_LINK_LIFETIME)
    except signing.BadSignature:
        signed = signing.loads(token, salt=LASTING_SALT, max_age=LASTING_SECONDS)
    name, filename = signed if isinstance(signed, list) else (signed, "")
    return Path(name), filename or Path(name).name


def serve(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The file behind a signed link; 404 for a bad signature or another name than the file's own."""
    if request.method not in ("GET", "HEAD"):
        return refuse_method(request, "GET", "HEAD")
    try:
        path, filename = _behind(token)
        if name != path.name:
            raise signing.BadSignature("The signature is that of another name.")
        kept = f"private, max-age={settings.MEDIA_LINK_LIFETIME}"
        return file_response(request, str(path), filename=filename, cache_control=kept)
    except (signing.BadSignature, FileNotFoundError):
        return not_found_view(request)
