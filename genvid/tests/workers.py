"""A worker without a process: takes the messages that a test has sent and runs their tasks as Celery does."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from celery import current_app
from celery.app.trace import build_tracer
from celery.signals import before_task_publish
from django_structlog.celery.receivers import CeleryReceiver

from genvid.jobs import Job
from genvid.tests.jobs import registered_tasks


class InlineWorker:
    """Holds the messages that were sent since it was made. Each task runs in a context of its own, as in a worker."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str], dict[str, Any]]] = []
        self.carries_context = True

    def take(self, sender: str, body: Any, headers: dict[str, Any], **_: Any) -> None:
        if not self.carries_context:
            del headers["request_context"]
        self.messages.append((sender, [*body[0]], headers))

    def run(self, job: Job, *ids: str) -> None:
        """As the schedule sends it: without headers."""
        self._trace(job.name, [*ids], {})

    def work(self) -> None:
        """Until no message is left."""
        while self.messages:
            self._trace(*self.messages.pop(0))

    def _trace(self, name: str, ids: list[str], headers: dict[str, Any]) -> None:
        request = headers | {"id": "a-task", "is_eager": False, "delivery_info": {}}
        registered_tasks()
        tracer = build_tracer(name, current_app.tasks[name], app=current_app)
        Context().run(tracer, "a-task", ids, {}, request)


@contextmanager
def inline_worker() -> Iterator[InlineWorker]:
    worker, logging = InlineWorker(), CeleryReceiver()
    before_task_publish.connect(worker.take, weak=False)
    logging.connect_worker_signals()
    try:
        yield worker
    finally:
        before_task_publish.disconnect(worker.take)
