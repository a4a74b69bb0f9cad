"""`GET /metrics`, in Prometheus's text format, for a token or the private network."""

import ipaddress
import secrets
from collections.abc import Iterable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from genvid.api.exceptions import refuse, refuse_method
from genvid.errors import PermissionDenied
from genvid.metrics import REGISTRY

logger = structlog.get_logger(__name__)
READING = ("GET", "HEAD")
FORWARDING = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
"""Prefixes of headers that proxies set: with one of them, the connected address is not the caller's."""


def metrics(request: HttpRequest) -> HttpResponse:
    if request.method not in READING:
        return refuse_method(request, *READING)
    if not may_read(request):
        return refuse(PermissionDenied("Metrics are for the operator's own network, or a token."))
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN: callers that send it. Without: private addresses without a proxy."""
    if settings.METRICS_TOKEN:
        given = request.META.get("HTTP_AUTHORIZATION", "")
        return secrets.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return is_private(request.META.get("REMOTE_ADDR", "")) and not _is_forwarded(request.META)


def is_private(address: str) -> bool:
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return bool((mapped or caller).is_private)


def _is_forwarded(names: Iterable[str]) -> bool:
    return any(name.startswith(FORWARDING) for name in names)
