"""Traces for an OpenTelemetry collector: requests, tasks, and the calls that both make.

A trace belongs to a request id: its number is a hash of it. So the work on a video, whichever task does it, is in the
trace of the request that ordered the video, as its log lines are; a `traceparent` of a client is not followed. Work for
many requests at once (ticks, polls) has traces of its own.

OpenTelemetry's packages for Django and Celery are not used. The one for Django refuses unknown hosts before our
middleware can answer; the one for Celery leaves a span open when a task is sent by name or the broker is away.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from celery import signals
from django.conf import settings
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from genvid import __version__, request_context
from genvid.request_context import RequestContext

HEADER = "traceparent"
KEPT = frozenset(
    {
        *("http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code"),
        *("server.address", "server.port", "error.type", "celery.task_name", "celery.state", "messaging.message.id"),
    }
)
OURS = "genvid."

_propagator = TraceContextTextMapPropagator()
_tracer: trace.Tracer = trace.NoOpTracer()


def start(exporter: SpanExporter | None = None) -> TracerProvider:
    """`exporter`: where spans go at once, instead of to the collector."""
    global _tracer
    os.environ.setdefault("OTEL_SERVICE_NAME", "genvid")
    provider = TracerProvider(
        resource=Resource.create({"service.version": __version__}), id_generator=TraceIdOfRequest()
    )
    provider.add_span_processor(NameRequest())
    provider.add_span_processor(
        SimpleSpanProcessor(ScrubbingExporter(exporter))
        if exporter
        else BatchSpanProcessor(ScrubbingExporter(_otlp_exporter()))
    )
    _tracer = provider.get_tracer("genvid", __version__)
    RequestsInstrumentor().instrument(tracer_provider=provider, request_hook=name_call)
    request_context.on_use(belong_to)
    signals.before_task_publish.connect(send_trace)
    signals.task_prerun.connect(begin_task)
    signals.task_postrun.connect(end_task)
    return provider


def _otlp_exporter() -> SpanExporter:
    return OTLPSpanExporter(endpoint=f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces")


def tracer() -> trace.Tracer:
    return _tracer


# ── Which trace


def trace_id_of(request_id: str) -> int:
    return int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:16], "big") or 1


class TraceIdOfRequest(RandomIdGenerator):
    """Only asked for spans without a parent."""

    def generate_trace_id(self) -> int:
        request_id = request_context.current().request_id
        return trace_id_of(request_id) if request_id else super().generate_trace_id()


@contextmanager
def belong_to(context: RequestContext) -> Iterator[None]:
    """Leaves the present trace unless it is that of `context`: what begins next begins the right one."""
    present = trace.get_current_span().get_span_context()
    if not present.is_valid or (context.request_id and present.trace_id == trace_id_of(context.request_id)):
        yield
        return
    token = otel_context.attach(Context())
    try:
        yield
    finally:
        otel_context.detach(token)


class NameRequest(SpanProcessor):
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attributes({OURS + name: value for name, value in request_context.current().ids.items()})


# ── Calls and tasks


def name_call(span: trace.Span, request: Any) -> None:
    """`request`: a `requests.PreparedRequest`."""
    host = request.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    span.update_name(f"{request.method} {host}")
    span.set_attribute("server.address", host)


def send_trace(headers: dict[str, Any], **_: Any) -> None:
    _propagator.inject(headers)


def begin_task(task: Any, task_id: str = "", **_: Any) -> None:
    """Connected after `genvid.celery` has set the context of the task's request."""
    carried = {HEADER: header} if isinstance(header := task.request.get(HEADER), str) else {}
    attributes = {"celery.task_name": task.name, "messaging.message.id": task_id}
    parent = _propagator.extract(carried, Context())
    span = tracer().start_span(task.name, parent, SpanKind.CONSUMER, attributes)
    task.request.genvid_span = span, otel_context.attach(trace.set_span_in_context(span, parent))


def end_task(task: Any, state: str | None = None, retval: Any = None, **_: Any) -> None:
    span, token = getattr(task.request, "genvid_span", (None, None))
    if span is None or token is None:
        return
    otel_context.detach(token)
    span.set_attribute("celery.state", state or "ABORTED")
    if state == "FAILURE":
        span.set_attribute("error.type", type(retval).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


# ── What leaves


class ScrubbingExporter(SpanExporter):
    """Passes on what KEPT lists: addresses hold tokens, and texts of exceptions may hold anything."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.exporter.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self.exporter.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=kept(span.attributes or {}),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name in KEPT or name.startswith(OURS)}
