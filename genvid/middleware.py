"""Sets the request id before anything is logged or refused, and logs requests."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from genvid import request_context
from genvid.api.client_address import UNKNOWN, client_address

PROBES = ("/healthz", "/readyz")
REQUEST_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{request_context.REQUEST_ID_LENGTH}}}")


class RequestIdMiddleware:
    """Accepts a harmless `X-Request-Id` of the caller, or makes one, and sends it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        request_context.set_current(_context_of(request, request_id))
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class RequestLogMiddleware(RequestMiddleware):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if request.path in PROBES else super().__call__(request)

    def prepare(self, request: HttpRequest) -> None:
        super().prepare(request)
        # An id of django-structlog's own, which it would hand on to workers: `genvid.request_context` carries ours.
        structlog.contextvars.unbind_contextvars("request_id")


def _context_of(request: HttpRequest, request_id: str) -> request_context.RequestContext:
    address = client_address(request)
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[: request_context.USER_AGENT_LENGTH]
    return request_context.RequestContext(request_id, address="" if address == UNKNOWN else address, user_agent=agent)
