"""Content-Security-Policy and Permissions-Policy headers for everything that a browser may show as a page.

Only previews from HeyGen and stored videos from the bucket come from other hosts.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DATA = ("application/json", "application/yaml", "application/vnd.oai.openapi", "text/event-stream", "text/csv")
"""Browsers do not show these as pages, and X-Content-Type-Options prevents guessing."""
Policy = Mapping[str, list[str]]

FEATURES = (
    *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
    *("idle-detection", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)


def permissions(*own: str) -> str:
    """Header value that permits the features `own` to the page itself, and everything else to nobody."""
    return ", ".join(f"{name}=({'self' if name in own else ''})" for name in FEATURES)


PERMISSIONS = permissions()

EVERY_PAGE: Policy = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}


class PagePoliciesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not kind.startswith(DATA):
            response.headers.setdefault("Content-Security-Policy", header_value(_policy_of(request.path_info)))
            response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


def header_value(policy: Policy) -> str:
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in policy.items())


def media_sources() -> list[str]:
    return ["'self'", "https:", *plain_bucket(), *_local_provider(), *_logo()]


def plain_bucket() -> list[str]:
    """The origin of a bucket that is reached over plain HTTP, which `https:` does not cover."""
    url = urlsplit(settings.S3_ENDPOINT_URL if settings.S3_BUCKET else "")
    return [f"http://{url.netloc}"] if url.scheme == "http" else []


def _logo() -> list[str]:
    url = urlsplit(settings.BRAND_LOGO_URL)
    return [f"{url.scheme}://{url.netloc}"] if url.netloc else []


def _local_provider() -> list[str]:
    """The sandbox serves its previews over plain HTTP, which `https:` does not cover."""
    url = urlsplit(settings.HEYGEN_BASE_URL)
    return [f"{url.scheme}://{url.netloc}"] if url.hostname in LOOPBACK else []


def _policy_of(path: str) -> Policy:
    for prefix, policy in _PAGES.items():
        if path.startswith(prefix):
            return policy()
    return _debug_page() if settings.DEBUG else EVERY_PAGE


def _admin() -> Policy:
    return {
        **EVERY_PAGE,
        # unsafe-eval: Unfold's menus are written for Alpine, which compiles the expressions in their attributes.
        "script-src": ["'self'", "'unsafe-eval'"],
        # unsafe-inline: Unfold sets its colours in a style element, and widths in style attributes.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": [*media_sources(), "data:"],
        "media-src": [*media_sources(), "blob:"],
    }


def _swagger() -> Policy:
    # unsafe-inline, for styles alone: Swagger UI sets style attributes. Its script is a file of ours.
    return {**EVERY_PAGE, "style-src": ["'self'", "'unsafe-inline'"]}


def _redoc() -> Policy:
    return {
        **EVERY_PAGE,
        # unsafe-inline, for styles alone: Redoc writes its style elements while it runs.
        "style-src": ["'self'", "'unsafe-inline'"],
        # Its search runs in a worker that it makes itself.
        "worker-src": ["'self'", "blob:"],
    }


def _debug_page() -> Policy:
    return {**EVERY_PAGE, "default-src": ["'self'", "'unsafe-inline'"]}


def _docs() -> Policy:
    return {**EVERY_PAGE, "img-src": [*EVERY_PAGE["img-src"], *_logo()]}


_PAGES: Mapping[str, Callable[[], Policy]] = {
    "/admin/": _admin,
    "/api/v1/docs/": _swagger,
    "/api/v1/redoc/": _redoc,
    # Named, so that other pages stay strict while debugging.
    "/docs/": _docs,
}
