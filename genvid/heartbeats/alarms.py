"""Alarms staff about a queue that nobody serves. Beat looks, which lives while the queue's workers do not."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from genvid.heartbeats import status
from genvid.heartbeats.models import Heartbeat
from genvid.process_cache import ProcessCache

logger = structlog.get_logger(__name__)
GRACE = timedelta(minutes=2)
"""Beyond what a queue may be silent: its worker may be on its way from one release to the next."""
PAUSE_SECONDS = 3600.0
"""Between two alarms about the same queue."""
MOST = "most"
ONE_SILENT = (
    "No thread has served Celery's queue “{name}” for minutes: its worker does not run, or all of its threads hang, or "
    "the broker does not answer. What is sent there waits, and nothing is lost."
)
MOST_SILENT = (
    "No thread has served most of Celery's queues for minutes ({names}): the broker (Redis) does not answer, or no "
    "worker runs. What is sent there waits, and nothing is lost."
)
_raised = ProcessCache(PAUSE_SECONDS, size=64)
_started = time.monotonic()


def alarm_silent(rows: Iterable[Heartbeat]) -> None:
    """`rows`: read with the database's time. A beat that has just started leaves the queues time to answer."""
    if time.monotonic() - _started < GRACE.total_seconds():
        return
    names = set(status.queue_names())
    silent = [row.name for row in rows if row.name in names and _is_silent(row)]
    if 2 * len(silent) > len(names):
        _raise_once(MOST, MOST_SILENT.format(names=", ".join(sorted(silent))))
        return
    for name in silent:
        _raise_once(name, ONE_SILENT.format(name=name))


def _is_silent(row: Heartbeat) -> bool:
    return row.silence(row.now) > status.limit_of(row.name) + GRACE


def _raise_once(about: str, text: str) -> None:
    """Never raises: heartbeats go on, and the next turn tries again."""
    if _raised.get(about):
        return
    raise_alarm: Any = import_string(settings.OPERATOR_ALARM)
    try:
        raise_alarm("queue_silent", about, text)
    except Exception:
        logger.exception("alarm_not_raised", code="queue_silent", about=about)
    else:
        _raised.keep(about, True)
