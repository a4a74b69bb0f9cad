"""The Celery application. Each app's `tasks.py` has its tasks; `genvid.schedule` says where and when they run."""

import os
import time
from typing import Any

from celery import Celery, beat, signals
from django.conf import settings
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import TRANSPORT_ALIASES

from genvid import database_clock, request_context, ticks
from genvid.jobs import SENT_AT
from genvid.worker_probe import PoolProbe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genvid.settings")

# Before a connection is made.
TRANSPORT_ALIASES |= dict.fromkeys(("redis", "rediss"), "genvid.redis_broker:Transport")
TRANSPORT_ALIASES["sqla"] = "genvid.embedded_broker:Transport"

app = Celery("genvid")
# Otherwise it is the current application of this thread alone, and a web server's threads send to a default broker
# (https://docs.celeryq.dev/en/stable/reference/celery.html#celery.Celery.set_default).
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["worker"].add(PoolProbe)


@signals.celeryd_init.connect
def keep_beat_in_the_process(**_: Any) -> None:
    """With the embedded services, the `-B` of a worker is a thread, where Celery forks by default.

    SQLite's files must not be open across a fork: the child takes locks for its own that it does not have
    (https://www.sqlite.org/howtocorrupt.html).
    """
    if settings.EMBEDDED:
        vars(beat)["_Process"] = None


@signals.task_prerun.connect
def keep_database_connection(task: Any = None, **_: Any) -> None:
    """One connection per thread, checked before each task, and renewed when broken or older than CONN_MAX_AGE."""
    # A task that is run in place shares its caller's connection, and the transaction on it.
    if task is None or not task.request.is_eager:
        close_old_connections()
        database_clock.measure_now_and_then()


@signals.task_prerun.connect
def take_tick(task: Any = None, **_: Any) -> None:
    if task is not None and task.request.get(ticks.SENT_BY_BEAT):
        ticks.mark_taken(task.name)


@signals.before_task_publish.connect
def send_request_context(headers: dict[str, Any], **_: Any) -> None:
    headers["request_context"] = request_context.current().ids
    headers[SENT_AT] = time.time()


@signals.task_prerun.connect
def receive_request_context(task: Any, **_: Any) -> None:
    """Connected before django-structlog logs that the task starts."""
    if not task.request.is_eager:
        request_context.set_current(request_context.RequestContext.of(**(task.request.get("request_context") or {})))


@signals.setup_logging.connect
def disable_celery_logging(**_: Any) -> None:
    """Celery does not configure logging when this signal has a receiver: the settings have done it."""
