"""Counts and times Celery's tasks by name and outcome. `genvid.apps` imports it, so that every worker connects it."""

import time
from typing import Any

from celery import signals

from genvid.metrics import Tally, Timing

SECONDS = (0.01, 0.05, 0.25, 1, 5, 15, 60, 120, 600)

_tasks = Tally("genvid_tasks_total", "Celery tasks that ended, by outcome.", ["task", "outcome"])
_seconds = Timing("genvid_task_seconds", "How long a task ran.", ["task"], buckets=SECONDS)


@signals.task_prerun.connect
def start_clock(task: Any, **_: Any) -> None:
    task.request.genvid_started = time.perf_counter()


@signals.task_postrun.connect
def observe_task(task: Any, state: str | None = None, **_: Any) -> None:
    started = getattr(task.request, "genvid_started", None)
    if started is None:
        return
    # Celery gives no state to a task that ended by an exception of its own, such as a worker that shuts down.
    _tasks.add(task.name, (state or "aborted").lower())
    _seconds.note(time.perf_counter() - started, task.name)


@signals.task_revoked.connect
def count_revoked(request: Any, expired: bool | None = None, **_: Any) -> None:
    _tasks.add(request.task, "expired" if expired else "revoked")
