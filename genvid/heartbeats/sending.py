"""Beat's part: writes its own heartbeat, and sends a message to each queue that has answered the one before.

A queue thus holds one such message, however long nobody takes it, and no worker has to compare clocks to drop old ones.
A message that the broker has lost is sent again, after longer and longer pauses.
"""

from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db.models.functions import Now

from genvid.heartbeats import alarms
from genvid.heartbeats.models import BEAT, Heartbeat
from genvid.heartbeats.status import queue_names
from genvid.jobs import HEARTBEAT

logger = structlog.get_logger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 3, 30
"""Periods after which an unanswered message is sent again; the pauses double in between."""


def send_heartbeats() -> list[str]:
    """The queues that were sent a message. Raises what database and broker raise."""
    Heartbeat.objects.record(BEAT)
    rows = {row.name: row for row in Heartbeat.objects.with_now()}
    alarms.alarm_silent(rows.values())
    names = [name for name in queue_names() if name not in rows or _is_due(rows[name])]
    if names:
        _note([Heartbeat(name=name, asked_at=_asked_at(rows.get(name)), sent_at=Now()) for name in names])
    for name in names:
        current_app.send_task(HEARTBEAT.name, args=[name], queue=name, ignore_result=True)
    return names


def record_heartbeat(queue: str) -> None:
    """Called by a thread of a worker that has taken the queue's message."""
    Heartbeat.objects.record(queue)


def _note(rows: list[Heartbeat]) -> None:
    # Before the messages are sent: an answer must be later than its question.
    Heartbeat.objects.upsert(rows, "asked_at", "sent_at")


def _asked_at(row: Heartbeat | None) -> Any:
    return row.asked_at if row and row.is_unanswered else Now()


def _is_due(row: Heartbeat) -> bool:
    if not row.is_unanswered or row.asked_at is None or row.sent_at is None:
        return True
    shortest, longest = (timedelta(seconds=settings.HEARTBEAT_SECONDS * each) for each in (FIRST_PAUSE, LONGEST_PAUSE))
    return row.now - row.sent_at >= min(longest, max(shortest, row.sent_at - row.asked_at))
