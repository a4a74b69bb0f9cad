"""Downloads of HeyGen's files from their signed, short-lived links."""

from typing import Any, BinaryIO

import structlog

from genvid import http
from genvid.heygen.heygen_errors import HeyGenError, LinkExpired, OperatorProblem, Refused, Unknown

logger = structlog.get_logger(__name__)

# HeyGen v3, get video page: a link that has expired or was replaced answers one of these.
EXPIRED_STATUSES = (403, 404, 410)


def fetch_media(url: str, sink: BinaryIO, **options: Any) -> http.Download:
    """`genvid.http.download` with HeyGen's errors. Never logs `url`: its signature opens the file."""
    try:
        done = http.download(url, sink, **options)
    except http.HttpError as error:
        translated = _translate(error)
        logger.warning("heygen_download", code=translated.code, status=translated.status)
        raise translated from error
    logger.info("heygen_download", code=None, bytes=done.bytes, content_type=done.content_type)
    return done


def _translate(error: http.HttpError) -> HeyGenError:
    if isinstance(error, http.BadStatus):
        kind = LinkExpired if error.status in EXPIRED_STATUSES else Unknown
        return kind("link_expired" if kind is LinkExpired else f"http_{error.status}", status=error.status)
    if isinstance(error, http.ForbiddenAddress) and not error.temporary:
        return OperatorProblem("media_host_not_allowed", error.reason)
    if isinstance(error, http.TooLarge):
        return Refused("media_too_large", str(error))
    unknown = Unknown(type(error).__name__, str(error))
    unknown.sent = error.sent
    return unknown
