"""Celery's beat, which sends no message for a job that would find nothing to do, or whose last message still waits.

CELERY_BEAT_SCHEDULER names it. A message costs ten times what the look at the database does: publishing, consuming,
acknowledging, two log lines.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from django.db import connections
from django.utils.module_loading import import_string

from genvid import database_clock
from genvid.heartbeats.sending import send_heartbeats
from genvid.jobs import DEFAULT_QUEUE, HEARTBEAT
from genvid.schedule import JOBS
from genvid.ticks import WaitingTicks

logger = structlog.get_logger(__name__)


CALENDAR_PERIOD = 3600.0
"""Of an entry that is due at hours of the clock."""


class Scheduler(PersistentScheduler):
    def __init__(self, *args: Any, **options: Any) -> None:
        self.waiting = WaitingTicks()
        super().__init__(*args, **options)

    def schedules_equal(self, old_schedules: Any, new_schedules: Any) -> bool:
        """The schedule is fixed at start. Celery compares all entries several times a second."""
        return True

    def adjust(self, n: Any, drift: float = 0.001) -> Any:
        """Seconds to sleep. Celery wakes up 10 ms before an entry is due, and spins until it is."""
        return super().adjust(n, drift)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        if entry.task == HEARTBEAT.name:
            beat()
        elif not has_work(entry.task):
            self.waiting.settle(entry.task)
        elif self.waiting.reserve(entry.task, queue_of(entry.task), period_of(entry)):
            super().apply_entry(entry, producer)

    def apply_async(self, entry: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().apply_async(entry, *args, **options)
        except Exception:
            self.waiting.release(entry.task)
            raise


def queue_of(task: str) -> str:
    return next((job.queue for job in JOBS if job.name == task), DEFAULT_QUEUE)


def period_of(entry: Any) -> float:
    """Seconds between two ticks."""
    every = getattr(entry.schedule, "run_every", None)
    return CALENDAR_PERIOD if every is None else float(every.total_seconds())


def beat() -> None:
    """One message to each queue that has answered the last. A failure is the schedule's least worry."""
    try:
        send_heartbeats()
        database_clock.measure_now_and_then()
    except Exception as error:  # noqa: BLE001 - whatever fails here, the schedule must go on
        logger.warning("heartbeats_not_sent", error=repr(error))
        connections.close_all()


def has_work(task: str) -> bool:
    """True also where nobody can tell: a needless message harms less than a missing one."""
    try:
        look = _looks().get(task)
        return look is None or look()
    except Exception as error:  # noqa: BLE001 - whatever fails here, the schedule must go on
        logger.warning("work_unknown", task=task, error=repr(error))
        connections.close_all()
        return True


@cache
def _looks() -> dict[str, Callable[[], bool]]:
    return {job.name: import_string(job.has_work) for job in JOBS if job.has_work}
