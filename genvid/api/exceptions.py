"""The one place where an exception becomes the error envelope."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import Resolver404, resolve
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from genvid.api.renderers import error_response
from genvid.errors import MOST_DETAILS, DomainError, NotAuthenticated, NotFound

logger = structlog.get_logger(__name__)

FRAMEWORK_CODES: list[tuple[type[Exception], str, int]] = [
    (drf.ParseError, "parse_error", 400),
    (drf.NotAuthenticated, "not_authenticated", 401),
    (drf.AuthenticationFailed, "not_authenticated", 401),
    (drf.PermissionDenied, "permission_denied", 403),
    (PermissionDenied, "permission_denied", 403),
    (drf.NotFound, "not_found", 404),
    (Http404, "not_found", 404),
    (drf.MethodNotAllowed, "method_not_allowed", 405),
    (drf.UnsupportedMediaType, "unsupported_media_type", 415),
    (drf.Throttled, "rate_limited", 429),
    (RequestDataTooBig, "payload_too_large", 413),
    (UnreadablePostError, "parse_error", 400),
    (SuspiciousOperation, "validation_error", 400),
]
FRAMEWORK_MESSAGES = {
    "not_authenticated": NotAuthenticated.message,
    "not_found": NotFound.message,
    "payload_too_large": "The body is too large.",
    "validation_error": "The request is not valid.",
    "permission_denied": "Your role does not allow this.",
    "unsupported_media_type": "Send the body as application/json, or as a type that this call names.",
}
LONGEST_NAME = 100
"""Characters of a field's name in `details`."""
LONGEST_MESSAGE = 500
"""Characters of a message: it may repeat what the client sent."""
SLASH_HINT = " Addresses here end without a slash: leave the last one out."
RETRYABLE = {"rate_limited", "server_error", "provider_unavailable", "idempotency_in_progress"}


def envelope_exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER. Nothing passes: what nobody foresaw is logged with its traceback and answered 500."""
    set_rollback()
    status, error, headers = describe(exc)
    if status >= 500 and error["code"] == "server_error":
        logger.error("unhandled_exception", exc_info=exc)
    return Response(error, status=status, headers=headers)


def describe(exc: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, error object and headers for any exception."""
    if isinstance(exc, DomainError):
        return _describe_domain(exc)
    if isinstance(exc, drf.ValidationError):
        details = dict(flatten(exc.detail))
        return 400, error_object("validation_error", "Some fields are not valid.", details), {}
    for kind, code, status in FRAMEWORK_CODES:
        if isinstance(exc, kind):
            return status, error_object(code, _message(exc, code)), _headers(exc, status)
    if isinstance(exc, OperationalError):
        logger.error("database_unavailable", exc_info=exc)
        message = "The service is busy; try again shortly."
        return 503, error_object("provider_unavailable", message), {"Retry-After": "2"}
    return 500, error_object("server_error", DomainError.message), {}


def error_object(code: str, message: str, details: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The error of an envelope, of bounded size whatever the client sent."""
    error: dict[str, Any] = {
        "code": code,
        "message": _shortened(message),
        "retryable": code in RETRYABLE,
        "doc_url": doc_url(code),
    }
    if details:
        error["details"] = _bounded(details)
    if details and len(details) > MOST_DETAILS:
        error["message"] += f" Only the first {MOST_DETAILS} of {len(details)} are named."
    return error


def doc_url(code: str) -> str:
    """The page that says what to do about a code."""
    return f"{settings.PUBLIC_URL}/docs/errors#{code}"


def _bounded(details: Mapping[str, str]) -> dict[str, str]:
    return {name[:LONGEST_NAME]: _shortened(text) for name, text in islice(details.items(), MOST_DETAILS)}


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def _describe_domain(exc: DomainError) -> tuple[int, dict[str, Any], dict[str, str]]:
    error = error_object(exc.code, exc.message, exc.details)
    error["retryable"] = exc.retryable
    headers = {"Retry-After": str(exc.retry_after)} if exc.retry_after is not None else {}
    if exc.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return exc.status, error, headers


def _message(exc: Exception, code: str) -> str:
    if code in FRAMEWORK_MESSAGES:
        return FRAMEWORK_MESSAGES[code]
    if isinstance(exc, UnreadablePostError):
        return "The body ended before its announced length."
    return str(exc.detail) if isinstance(exc, drf.APIException) else code


def _headers(exc: Exception, status: int) -> dict[str, str]:
    wait: float | None = getattr(exc, "wait", None)
    if wait is not None:
        return {"Retry-After": str(max(1, math.ceil(wait)))}
    return {"WWW-Authenticate": 'Bearer realm="api"'} if status == 401 else {}


def flatten(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """DRF's nested error detail as `(dotted field, first message)`; list items count by index."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from flatten(inner, here)
    elif isinstance(detail, list) and any(isinstance(item, (Mapping, list)) for item in detail):
        for index, inner in enumerate(detail):
            yield from flatten(inner, f"{path}.{index}" if path else str(index))
    elif isinstance(detail, list):
        yield path or "body", " ".join(str(item) for item in detail)
    else:
        yield path or "body", str(detail)


def not_found_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    hint = SLASH_HINT if _is_known_without_slash(request.path_info) else ""
    return error_response(404, error_object("not_found", NotFound.message + hint), request)


def _is_known_without_slash(path: str) -> bool:
    if not path.endswith("/") or path == "/":
        return False
    try:
        view = resolve(path.rstrip("/")).func
    except Resolver404:
        return False
    return getattr(view, "__wrapped__", view) is not not_found_view


def bad_request_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return error_response(400, error_object("validation_error", FRAMEWORK_MESSAGES["validation_error"]), request)


def server_error_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return error_response(500, error_object("server_error", DomainError.message), request)
