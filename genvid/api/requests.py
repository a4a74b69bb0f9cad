"""Requests whose text is UTF-8, whatever charset their Content-Type names.

Django would decode the query in that charset, and some of them (`hex`, `punycode`) raise before any middleware runs.
"""

from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters

UTF_8 = frozenset({"utf-8", "utf8"})


def charset_of(content_type: str) -> str:
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
            # Reading it later would raise again.
            meta["CONTENT_TYPE"] = ""
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8WSGIRequest(Utf8Only, WSGIRequest):
    pass


class Utf8ASGIRequest(Utf8Only, ASGIRequest):
    pass
