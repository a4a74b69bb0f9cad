"""Turns every exception into the error envelope."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from django.core import exceptions
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import Resolver404, resolve
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from genvid.api.renderers import error_response
from genvid.errors import (
    MAX_DETAILS,
    BodyTooLarge,
    DomainError,
    MalformedBody,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    ServerError,
    UnsupportedMediaType,
    ValidationFailed,
)

logger = structlog.get_logger(__name__)

FRAMEWORK_ERRORS: list[tuple[type[Exception], type[DomainError]]] = [
    (drf.ParseError, MalformedBody),
    (drf.NotAuthenticated, NotAuthenticated),
    (drf.AuthenticationFailed, NotAuthenticated),
    (drf.PermissionDenied, PermissionDenied),
    (exceptions.PermissionDenied, PermissionDenied),
    (drf.NotFound, NotFound),
    (Http404, NotFound),
    (drf.MethodNotAllowed, MethodNotAllowed),
    (drf.UnsupportedMediaType, UnsupportedMediaType),
    (drf.Throttled, RateLimited),
    (exceptions.RequestDataTooBig, BodyTooLarge),
    (UnreadablePostError, MalformedBody),
    (exceptions.SuspiciousOperation, ValidationFailed),
]
INVALID_REQUEST = "The request is not valid."
MAX_NAME_LENGTH = 100
MAX_MESSAGE_LENGTH = 500
SLASH_HINT = " Addresses here end without a slash: leave the last one out."


def envelope_exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER. Unexpected exceptions are logged with their traceback and answered 500."""
    set_rollback()
    status, error, headers = describe(exc)
    if status >= 500 and error["code"] == "server_error":
        logger.error("unhandled_exception", exc_info=exc)
    return Response(error, status=status, headers=headers)


def describe(exc: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    error = as_domain_error(exc)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return error.status, error_object(error), headers


def as_domain_error(exc: Exception) -> DomainError:
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, drf.ValidationError):
        return ValidationFailed(details=dict(flatten(exc.detail)))
    if isinstance(exc, OperationalError):
        logger.error("database_unavailable", exc_info=exc)
        return ProviderUnavailable("The service is busy; try again shortly.", retry_after=2)
    kind = next((ours for framework, ours in FRAMEWORK_ERRORS if isinstance(exc, framework)), ServerError)
    wait: float | None = getattr(exc, "wait", None) if isinstance(exc, drf.Throttled) else None
    return kind(_message(exc), retry_after=None if wait is None else max(1, math.ceil(wait)))


def error_of_status(status: int) -> DomainError:
    if status >= 500:
        return ServerError()
    kinds = {ours.status: ours for _, ours in FRAMEWORK_ERRORS if ours is not MalformedBody}
    kind = kinds.get(status, ValidationFailed)
    return kind(INVALID_REQUEST if kind is ValidationFailed else None)


def error_object(error: DomainError) -> dict[str, Any]:
    """The error of an envelope, of bounded size whatever the client sent."""
    found: dict[str, Any] = {
        "code": error.code,
        "message": _shortened(error.message),
        "retryable": error.retryable,
        "doc_url": doc_url(error.code),
    }
    if error.details:
        found["details"] = _bounded(error.details)
        if len(error.details) > MAX_DETAILS:
            found["message"] += f" Only the first {MAX_DETAILS} of {len(error.details)} are named."
    return found


def refuse(exc: Exception) -> HttpResponse:
    """The envelope with all its headers, for views that are not DRF's."""
    status, error, headers = describe(exc)
    answer = error_response(status, error)
    for name, value in headers.items():
        answer[name] = value
    return answer


def refuse_method(request: HttpRequest, *allowed: str) -> HttpResponse:
    answer = refuse(MethodNotAllowed(f'Method "{request.method}" not allowed.'))
    answer["Allow"] = ", ".join(allowed)
    return answer


def doc_url(code: str) -> str:
    return f"{settings.PUBLIC_URL}/docs/errors#{code}"


def _bounded(details: Mapping[str, str]) -> dict[str, str]:
    return {name[:MAX_NAME_LENGTH]: _shortened(text) for name, text in islice(details.items(), MAX_DETAILS)}


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[: MAX_MESSAGE_LENGTH - 1]}…"


def _message(exc: Exception) -> str | None:
    if isinstance(exc, UnreadablePostError):
        return "The body ended before its announced length."
    if isinstance(exc, exceptions.SuspiciousOperation) and not isinstance(exc, exceptions.RequestDataTooBig):
        return INVALID_REQUEST
    return str(exc.detail) if isinstance(exc, (drf.ParseError, drf.MethodNotAllowed, drf.Throttled)) else None


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
    return refuse(NotFound(NotFound.message + hint))


def _is_known_without_slash(path: str) -> bool:
    if not path.endswith("/") or path == "/":
        return False
    try:
        view = resolve(path.rstrip("/")).func
    except Resolver404:
        return False
    return getattr(view, "__wrapped__", view) is not not_found_view


def bad_request_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return refuse(ValidationFailed(INVALID_REQUEST))


def server_error_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    return refuse(ServerError())
