"""Requests whose text is UTF-8, whatever charset their Content-Type names.

Django would read the query in that charset. Over some of them (`hex`, `punycode`) it falls before any middleware could
answer for it.
"""

from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters

UTF_8 = frozenset({"utf-8", "utf8"})


def charset_of(content_type: str) -> str:
    """In small letters; UTF-8 where none is named, and empty where the header cannot be read."""
    try:
        _, parameters = parse_header_parameters(content_type)
    except (ValueError, LookupError):
        return ""
    return str(parameters.get("charset", "utf-8")).lower()


class Utf8Only:
    content_type: str | None
    content_params: dict[str, str] | None

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        if not charset_of(meta.get("CONTENT_TYPE", "")):
            # Whoever reads it later would fall over it again.
            meta["CONTENT_TYPE"] = ""
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8WSGIRequest(Utf8Only, WSGIRequest):
    """What `genvid.wsgi` makes of a request."""


class Utf8ASGIRequest(Utf8Only, ASGIRequest):
    """What `genvid.asgi` makes of one."""
