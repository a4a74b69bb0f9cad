"""Celery tasks of the base."""

import sqlite3
from contextlib import closing
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from genvid import jobs
from genvid.batched_rows import delete_in_batches, delete_oldest


@shared_task(name=jobs.PRUNE.name)
def prune() -> None:
    """Deletes what Django's own apps keep for ever: ended sessions of the admin, and old lines of its history."""
    now = timezone.now()
    delete_in_batches(Session.objects.filter(expire_date__lt=now))
    delete_oldest(LogEntry.objects.all(), "action_time", now - timedelta(days=settings.ADMIN_LOG_DAYS))


@shared_task(name=jobs.PRUNE_EMBEDDED_BROKER.name)
def prune_embedded_broker() -> int:
    """Deletes consumed messages, which kombu's SQLAlchemy transport only hides. Returns how many."""
    if not settings.EMBEDDED_BROKER_FILE:
        return 0
    with closing(sqlite3.connect(settings.EMBEDDED_BROKER_FILE, timeout=20)) as broker, broker:
        return broker.execute("DELETE FROM kombu_message WHERE visible = 0").rowcount
