"""The HTTP client of the project: no other package imports `requests` or `urllib3`."""

from genvid.http.downloads import Download, Head, download
from genvid.http.form_files import FormFile
from genvid.http.http_client import Response, parse_json, send
from genvid.http.http_errors import (
    BadStatus,
    ForbiddenAddress,
    HttpError,
    RangeRefused,
    Redirected,
    Timeout,
    TooLarge,
    Truncated,
    Unreachable,
    WrongType,
)
from genvid.http.public_addresses import check_public_url
from genvid.http.untrusted import Reply, post

__all__ = [
    "BadStatus",
    "Download",
    "ForbiddenAddress",
    "FormFile",
    "Head",
    "HttpError",
    "RangeRefused",
    "Redirected",
    "Reply",
    "Response",
    "Timeout",
    "TooLarge",
    "Truncated",
    "Unreachable",
    "WrongType",
    "check_public_url",
    "download",
    "parse_json",
    "post",
    "send",
]
