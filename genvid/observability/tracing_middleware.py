"""The span of a request. Directly inside `RequestIdMiddleware`, whose request id names the trace."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from genvid import request_context
from genvid.middleware import PROBES
from genvid.observability.tracing import OURS, tracer


class TracingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in PROBES:
            return self.get_response(request)
        span = tracer().start_span(request.method or "", Context(), SpanKind.SERVER)
        with trace.use_span(span, end_on_exit=True, record_exception=False):
            response = self.get_response(request)
            describe(span, request, response)
        return response


def describe(span: trace.Span, request: HttpRequest, response: HttpResponse) -> None:
    if request.resolver_match:
        span.update_name(f"{request.method} {request.resolver_match.view_name}")
        span.set_attribute("http.route", request.resolver_match.route)
    span.set_attributes(
        {"http.request.method": request.method or "", "http.response.status_code": response.status_code}
    )
    # Who called is known by now.
    span.set_attributes({OURS + name: value for name, value in request_context.current().ids.items()})
    if response.status_code >= 500:
        span.set_status(Status(StatusCode.ERROR))
