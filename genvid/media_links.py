"""Signed, short-lived links to stored files, with `Range` support; a bucket signs its own."""

from pathlib import Path

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from genvid.api.exceptions import not_found_view, refuse_method
from genvid.bucket_links import MAX_LIFETIME_SECONDS, bucket_link
from genvid.file_responses import file_response

# The words of links that were given out before this module had its name.
SALT = "videos.media"
LASTING_SALT = "videos.media.lasting"
LASTING_SECONDS = MAX_LIFETIME_SECONDS


def signed_link(name: str, *, filename: str = "", as_attachment: bool = False) -> str:
    """A link to the stored file `name`. `as_attachment`: browsers save it, and never show it as a page of ours."""
    if settings.S3_BUCKET:
        return bucket_link(name, filename=filename, as_attachment=as_attachment)
    return _local_link(name, SALT, filename, as_attachment=as_attachment)


def lasting_link(name: str) -> str:
    if settings.S3_BUCKET:
        return bucket_link(name, seconds=LASTING_SECONDS)
    return _local_link(name, LASTING_SALT)


def _local_link(name: str, salt: str, filename: str = "", *, as_attachment: bool = False) -> str:
    signed = [name, filename, True] if as_attachment else [name, filename] if filename else name
    token = signing.dumps(signed, salt=salt)
    return str(settings.PUBLIC_URL) + reverse("media", args=[token, name.rpartition("/")[2]])


def _read_token(token: str) -> tuple[Path, str, bool]:
    """The stored file's path, its download name, and whether it is an attachment.

    Raises BadSignature for a forged or expired link.
    """
    try:
        signed = signing.loads(token, salt=SALT, max_age=settings.MEDIA_LINK_LIFETIME)
    except signing.BadSignature:
        signed = signing.loads(token, salt=LASTING_SALT, max_age=LASTING_SECONDS)
    name, filename, as_attachment = [*signed, False][:3] if isinstance(signed, list) else (signed, "", False)
    return Path(name), filename or Path(name).name, as_attachment


def serve_file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        return refuse_method(request, "GET", "HEAD")
    try:
        path, filename, as_attachment = _read_token(token)
        if name != path.name:
            raise signing.BadSignature("The signature is that of another name.")
        cache_control = f"private, max-age={settings.MEDIA_LINK_LIFETIME}"
        return file_response(
            request, str(path), filename=filename, cache_control=cache_control, as_attachment=as_attachment
        )
    except (signing.BadSignature, FileNotFoundError):
        return not_found_view(request)
