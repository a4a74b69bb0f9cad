"""How to tell that beat and the workers live."""

import sqlite3
import time
from contextlib import closing
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

ANSWER_SECONDS = 3.0
OLDEST_MESSAGE_SECONDS = 30.0
OLDEST = """
SELECT kombu_queue.name, MIN(strftime('%s', kombu_message.timestamp))
FROM kombu_message JOIN kombu_queue ON kombu_queue.id = kombu_message.queue_id
WHERE kombu_message.visible GROUP BY kombu_queue.name
"""


def beat_age() -> float | None:
    """Seconds since a tick of beat's was worked off: the snapshot of the queue is renewed every second."""
    snapshot = apps.get_model("videos", "QueueSnapshot").objects
    age = ExpressionWrapper(Now() - F("computed_at"), DurationField())
    found = snapshot.annotate(age=age).values_list("age", flat=True).first()
    return None if found is None else max(found.total_seconds(), 0.0)


def served_queues() -> dict[str, bool]:
    """By queue, whether a worker consumes it."""
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    if settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL:
        served = _consumed()
        return {name: name in served for name in names}
    stuck = _stuck_queues()
    return {name: name not in stuck for name in names}


def _consumed() -> set[str]:
    inspect: Any = current_app.control.inspect(timeout=ANSWER_SECONDS)
    return {queue["name"] for queues in (inspect.active_queues() or {}).values() for queue in queues}


def _stuck_queues() -> set[str]:
    """The embedded broker, whose workers cannot be asked: queues with a message that nobody took."""
    with closing(sqlite3.connect(str(settings.EMBEDDED_BROKER_FILE), timeout=5)) as broker:
        oldest = dict(broker.execute(OLDEST).fetchall())
    return {name for name, sent in oldest.items() if time.time() - float(sent) > OLDEST_MESSAGE_SECONDS}
