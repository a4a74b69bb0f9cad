"""Alarms staff about a queue that nobody serves. Beat looks, which lives while the queue's workers do not."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from genvid.heartbeats import status
from genvid.heartbeats.models import Heartbeat
from genvid.process_cache import ProcessCache

GRACE = timedelta(minutes=2)
"""Beyond what a queue may be silent: its worker may be on its way from one release to the next."""
PAUSE_SECONDS = 3600.0
"""Between two alarms about the same queue."""
_raised = ProcessCache(PAUSE_SECONDS, size=64)
_started = time.monotonic()


def alarm_silent(rows: Iterable[Heartbeat]) -> None:
    """`rows`: read with the database's time. A beat that has just started leaves the queues time to answer."""
    if time.monotonic() - _started < GRACE.total_seconds():
        return
    names = set(status.queue_names())
    for row in rows:
        if row.name in names and row.silence(row.now) > status.limit_of(row.name) + GRACE and not _raised.get(row.name):
            _raised.keep(row.name, True)
            _raise(row.name)


def _raise(name: str) -> None:
    raise_alarm: Any = import_string(settings.OPERATOR_ALARM)
    raise_alarm(
        "queue_silent",
        name,
        f"No thread has served Celery's queue “{name}” for minutes: its worker does not run, or all of its threads "
        "hang. What is sent there waits, and nothing is lost.",
    )
