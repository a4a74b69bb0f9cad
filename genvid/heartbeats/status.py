"""What heartbeats say of beat and the queues: ok, starting, or silent."""

import time
from datetime import timedelta

from django.conf import settings

from genvid.heartbeats.models import BEAT, Heartbeat

OK, STARTING, SILENT = "ok", "starting", "silent"
STARTING_SECONDS = 30.0
"""From the start of this process: until then a part that is silent may be starting, too."""
_started = time.monotonic()


def queue_names() -> list[str]:
    return sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)


def part_names() -> list[str]:
    return [BEAT, *queue_names()]


def limit_of(name: str) -> timedelta:
    """How long a part may be silent."""
    return timedelta(seconds=settings.QUEUE_HEARTBEAT_LIMITS.get(name, settings.HEARTBEAT_LIMIT))


def read_states() -> dict[str, str]:
    """OK, STARTING or SILENT for beat and each queue, in one query."""
    rows = {row.name: row for row in Heartbeat.objects.with_now()}
    return {name: state_of(rows.get(name), name) for name in part_names()}


def state_of(row: Heartbeat | None, name: str) -> str:
    """`row`: read with the database's time."""
    if row is not None and row.silence(row.now) <= limit_of(name):
        return OK
    return STARTING if time.monotonic() - _started < STARTING_SECONDS else SILENT
