"""Celery's beat, which sends no message for a job that would find nothing to do. CELERY_BEAT_SCHEDULER names it.

A message costs ten times what the look at the database does: publishing, consuming, acknowledging, two log lines.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from django.db import connections
from django.utils.module_loading import import_string

from genvid.heartbeats.sending import send_heartbeats
from genvid.jobs import HEARTBEAT
from genvid.schedule import JOBS

logger = structlog.get_logger(__name__)


class Scheduler(PersistentScheduler):
    def schedules_equal(self, old_schedules: Any, new_schedules: Any) -> bool:
        """The schedule is fixed at start. Celery compares all entries several times a second."""
        return True

    def adjust(self, n: Any, drift: float = 0.001) -> Any:
        """Seconds to sleep. Celery wakes up 10 ms before an entry is due, and spins until it is."""
        return super().adjust(n, drift)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        if entry.task == HEARTBEAT.name:
            beat()
        elif has_work(entry.task):
            super().apply_entry(entry, producer)


def beat() -> None:
    """One message to each queue that has answered the last. A failure is the schedule's least worry."""
    try:
        send_heartbeats()
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
