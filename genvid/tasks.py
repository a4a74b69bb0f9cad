"""Housekeeping of the base."""

import sqlite3
from contextlib import closing

from celery import shared_task
from django.conf import settings


@shared_task(name="genvid.prune_embedded_broker")
def prune_embedded_broker() -> int:
    """Delete the messages that are done with: kombu's SQLAlchemy transport only hides them. Returns how many."""
    if not settings.EMBEDDED_BROKER_FILE:
        return 0
    with closing(sqlite3.connect(settings.EMBEDDED_BROKER_FILE, timeout=20)) as broker, broker:
        return broker.execute("DELETE FROM kombu_message WHERE visible = 0").rowcount
