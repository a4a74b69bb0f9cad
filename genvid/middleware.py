"""Sets the request id before anything is logged or refused, and logs requests."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from genvid import request_context
from genvid.api.client_address import UNKNOWN, client_address
from genvid.metrics.http_requests import observe_request

logger = structlog.get_logger("genvid.requests")
PROBES = ("/healthz", "/readyz", "/metrics")
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
    """One line a request, when it is answered; django-structlog's own also has one at the start. Counts it, too.

    Streams and unhandled errors are logged by django-structlog, with the same fields. Probes are neither logged nor
    counted.
    """

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if request.path in PROBES else super().__call__(request)

    def prepare(self, request: HttpRequest) -> None:
        request.begun_at = time.perf_counter()  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(ip=request_context.current().address)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        seconds = time.perf_counter() - request.begun_at  # type: ignore[attr-defined]
        observe_request(request, response.status_code, seconds)
        facts = _facts(request, seconds)
        if response.streaming or hasattr(request, "_raised_exception"):
            structlog.contextvars.bind_contextvars(**facts)
            super().handle_response(request, response)
            return
        level = self._log_level_for_status_code(response.status_code)
        logger.log(level, "request_finished", code=response.status_code, request=self.format_request(request), **facts)
        structlog.contextvars.clear_contextvars()

    def _process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """django-structlog's line `request_failed` gets the fields of `request_finished`."""
        begun_at = getattr(request, "begun_at", None)
        if begun_at is not None:
            structlog.contextvars.bind_contextvars(**_facts(request, time.perf_counter() - begun_at))
        super()._process_exception(request, exception)


def _facts(request: HttpRequest, seconds: float) -> dict[str, Any]:
    return {"user_agent": request.META.get("HTTP_USER_AGENT"), "duration_ms": round(seconds * 1000, 1)}


def _context_of(request: HttpRequest, request_id: str) -> request_context.RequestContext:
    address = client_address(request)
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[: request_context.USER_AGENT_LENGTH]
    return request_context.RequestContext(request_id, address="" if address == UNKNOWN else address, user_agent=agent)
