"""Gives every request its id before anything can be logged or refused."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from genvid import origin
from genvid.api.addresses import UNKNOWN, client_address

PROBES = ("/healthz", "/readyz")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Takes the caller's `X-Request-Id` over when it is harmless, makes one otherwise, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not request.headers: that is built once, and would keep showing everybody what the caller sent.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        # django-structlog reads the header: it must never see one that could forge a log line.
        request.META["HTTP_X_REQUEST_ID"] = request_id
        structlog.contextvars.clear_contextvars()
        origin.remember(_origin_of(request, request_id))
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class RequestLogMiddleware(RequestMiddleware):
    """Logs every request but the health probes, which come every few seconds; `genvid.health` logs what they find."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if request.path in PROBES else super().__call__(request)


def _origin_of(request: HttpRequest, request_id: str) -> origin.Origin:
    address = client_address(request)
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[: origin.USER_AGENT_LENGTH]
    return origin.Origin("" if address == UNKNOWN else address, agent, request_id)


def request_id_of(request: HttpRequest | None) -> str:
    """The id that the middleware gave this request; empty where no request is at hand."""
    return request.META.get("HTTP_X_REQUEST_ID", "") if request is not None else ""
