"""Celery tasks of the base."""

import sqlite3
from contextlib import closing

from celery import shared_task
from django.conf import settings

from genvid import jobs
from genvid.heartbeats import sending


@shared_task(name=jobs.HEARTBEAT.name)
def heartbeat(queue: str) -> None:
    sending.record_heartbeat(queue)


@shared_task(name=jobs.PRUNE_EMBEDDED_BROKER.name)
def prune_embedded_broker() -> int:
    """Deletes consumed messages, which kombu's SQLAlchemy transport only hides. Returns how many."""
    if not settings.EMBEDDED_BROKER_FILE:
        return 0
    with closing(sqlite3.connect(settings.EMBEDDED_BROKER_FILE, timeout=20)) as broker, broker:
        return broker.execute("DELETE FROM kombu_message WHERE visible = 0").rowcount
