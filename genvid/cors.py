"""CORS: which pages of other origins may call the API from a browser. docs/guides/browsers.md is for clients."""

import re
from typing import Any

from corsheaders.middleware import CorsMiddleware
from corsheaders.signals import check_request_enabled
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.dispatch import receiver
from django.http import HttpRequest

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9]\d{0,4})?")
DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")


class CrossOriginMiddleware(CorsMiddleware):
    def __init__(self, get_response: Any) -> None:
        if not (settings.CORS_ALLOWED_ORIGINS or settings.CORS_ALLOWED_ORIGIN_REGEXES):
            raise MiddlewareNotUsed
        if problems := [*origin_problems(), *pattern_problems()]:
            raise ImproperlyConfigured(" ".join(problems))
        self.patterns = [re.compile(pattern) for pattern in settings.CORS_ALLOWED_ORIGIN_REGEXES]
        super().__init__(get_response)

    def regex_domain_match(self, origin: str) -> bool:
        """Matches the whole origin. The library uses `re.match`, which accepts a mere prefix."""
        return any(pattern.fullmatch(origin) for pattern in self.patterns)


@receiver(check_request_enabled, dispatch_uid="genvid.cors.is_redirected_to_file")
def is_redirected_to_file(sender: object, request: HttpRequest, **_: Any) -> bool:
    """Whether a browser may have followed a redirect from another origin, after which it sends `Origin: null`.

    `GET videos/{id}/file` redirects across origins where clients reach the API by another name than PUBLIC_URL. Only
    files accept it: their links are signed.
    """
    return request.path_info.startswith("/media/") and request.headers.get("Origin") == "null"


def origin_problems() -> list[str]:
    wrong = [
        each for each in settings.CORS_ALLOWED_ORIGINS if not ORIGIN.fullmatch(each) or DEFAULT_PORT.fullmatch(each)
    ]
    return [f"CORS_ALLOWED_ORIGINS: {origin!r} is not an origin as browsers send it." for origin in wrong]


def pattern_problems() -> list[str]:
    found = {pattern: _problem_of(pattern) for pattern in settings.CORS_ALLOWED_ORIGIN_REGEXES}
    return [f"CORS_ALLOWED_ORIGIN_REGEXES: {pattern!r} {problem}." for pattern, problem in found.items() if problem]


def _problem_of(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"is not a regular expression: {error}"
    # A pattern with a comma is cut in two, and its halves must be refused.
    return "" if "://" in pattern.replace("\\/", "/") else "names no scheme"
