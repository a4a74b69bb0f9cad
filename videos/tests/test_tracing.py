"""One trace from the request that orders a video, through Celery, to the call of HeyGen."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
from celery import signals
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from genvid import request_context
from genvid.celery import app
from genvid.jobs import Job, enqueue
from genvid.observability import tracing
from genvid.observability.tracing import trace_id_of
from genvid.tests.factories import SCRIPT, make_caller
from genvid.tests.scripted import Answer, ScriptedServer
from genvid.tests.workers import inline_worker
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)
MIDDLEWARE = "genvid.observability.tracing_middleware.TracingMiddleware"
NOTE = Job("tests.traced")


@contextmanager
def tracing_on(exporter: InMemorySpanExporter | None) -> Iterator[TracerProvider]:
    provider = tracing.start(exporter)
    try:
        yield provider
    finally:
        signals.before_task_publish.disconnect(tracing.send_trace)
        signals.task_prerun.disconnect(tracing.begin_task)
        signals.task_postrun.disconnect(tracing.end_task)
        request_context.on_use(nullcontext)
        RequestsInstrumentor().uninstrument()
        provider.shutdown()


@pytest.fixture
def traced(settings):
    """What ended, as it leaves for the collector."""
    settings.MIDDLEWARE = [settings.MIDDLEWARE[0], MIDDLEWARE, *settings.MIDDLEWARE[1:]]
    exporter = InMemorySpanExporter()
    with tracing_on(exporter):
        yield exporter


@pytest.fixture
def worker(traced):
    with inline_worker() as made:
        yield made


@pytest.fixture
def action():
    """A task that runs what a test gives it."""
    given = []

    @app.task(name=NOTE.name, ignore_result=True)
    def note(*ids):
        given[0]()

    yield given
    app.tasks.unregister(NOTE.name)


def order(pipeline, person, request_id: str) -> Video:
    body = {"script": SCRIPT, "avatar_id": str(pipeline.avatar.pk), "resolution": "720p"}
    sent = {"HTTP_X_REQUEST_ID": request_id, "HTTP_IDEMPOTENCY_KEY": f"key-{request_id}"}
    response = person.client.post("/api/v1/videos", body, **sent)
    assert response.status_code == 201, response.content
    return Video.objects.get(pk=response.json()["data"]["id"])


def spans_of(exporter, request_id: str, kind: SpanKind) -> list:
    found = [span for span in exporter.get_finished_spans() if span.kind is kind]
    return [span for span in found if span.context.trace_id == trace_id_of(request_id)]


def test_the_order_at_heygen_is_in_the_trace_of_the_request_that_ordered_the_video(traced, worker, pipeline, settings):
    settings.HEYGEN_MAX_CONCURRENT = 2
    orders = {}
    for request_id in ("first-request", "second-request"):
        person = make_caller()
        orders[request_id] = order(pipeline, person, request_id)
    worker.work()
    for request_id, video in orders.items():
        (request,) = spans_of(traced, request_id, SpanKind.SERVER)
        calls = spans_of(traced, request_id, SpanKind.CLIENT)
        posts = [span for span in calls if span.name.startswith("POST ")]
        assert (request.name, len(posts)) == ("POST video-list", 1)
        assert posts[0].attributes["genvid.video_id"] == str(video.pk)


def test_a_task_is_a_child_of_the_span_that_sent_it(traced, worker, action):
    action.append(lambda: None)
    context = request_context.RequestContext("abc")
    with request_context.use(context), tracing.tracer().start_as_current_span("sender") as sender:
        enqueue(NOTE, "an-id")
    worker.work()
    (task,) = spans_of(traced, "abc", SpanKind.CONSUMER)
    assert (task.name, task.parent.span_id) == (NOTE.name, sender.get_span_context().span_id)
    assert task.attributes["celery.state"] == "SUCCESS"


def test_a_task_for_no_request_has_a_trace_of_its_own(traced, worker, action):
    action.append(lambda: None)
    with request_context.use(request_context.RequestContext("abc")), tracing.tracer().start_as_current_span("sender"):
        enqueue(NOTE)
    worker.work()
    (task,) = [span for span in traced.get_finished_spans() if span.kind is SpanKind.CONSUMER]
    assert (task.parent, task.context.trace_id == trace_id_of("abc")) == (None, False)


def test_a_task_that_fails_shows_the_class_of_its_error_and_not_its_text(traced, worker, action):
    def fail() -> None:
        raise ValueError(SCRIPT)

    action.append(fail)
    enqueue(NOTE)
    worker.work()
    (task,) = traced.get_finished_spans()
    assert (task.attributes["error.type"], task.status.is_ok, task.status.description) == ("ValueError", False, None)
    assert (SCRIPT in task.to_json(), task.events) == (False, ())


def test_nothing_personal_leaves(traced, worker, pipeline):
    person = make_caller()
    order(pipeline, person, "abc")
    worker.work()
    sent = "".join(span.to_json() for span in traced.get_finished_spans())
    private = (SCRIPT, person.user.email, "key-abc", person.tokens.access_token, "/v3/", "http://")
    assert [word for word in private if word in sent] == []


def test_a_client_cannot_choose_the_trace(traced):
    person = make_caller()
    traced.clear()
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    person.client.get("/api/v1/profile", HTTP_TRACEPARENT=given, HTTP_X_REQUEST_ID="abc")
    (span,) = traced.get_finished_spans()
    assert (span.context.trace_id, span.parent) == (trace_id_of("abc"), None)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_not_traced(traced, anonymous, path):
    anonymous.get(path)
    assert traced.get_finished_spans() == ()


def test_spans_are_sent_to_the_collector_and_sending_them_makes_none(settings):
    with ScriptedServer() as collector:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"{collector.url}/"
        collector.script += [Answer(200, b""), Answer(200, b"")]
        with tracing_on(None) as provider:
            with tracing.tracer().start_as_current_span("a-span"):
                pass
            assert provider.force_flush() is True
        (sent,) = collector.requests
    assert (sent.method, sent.path, sent.headers["content-type"]) == ("POST", "/v1/traces", "application/x-protobuf")
