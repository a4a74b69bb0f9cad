"""Celery tasks of the base."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.module_loading import import_string

from genvid import doctor, jobs
from genvid.batched_rows import delete_in_batches, delete_oldest
from genvid.heartbeats import sending


@shared_task(name=jobs.PRUNE.name)
def prune() -> None:
    """Deletes what Django's own apps keep for ever: ended sessions of the admin, and old lines of its history."""
    now = timezone.now()
    delete_in_batches(Session.objects.filter(expire_date__lt=now))
    delete_oldest(LogEntry.objects.all(), "action_time", now - timedelta(days=settings.ADMIN_LOG_DAYS))


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


@shared_task(name=jobs.EXAMINE_NEIGHBOURS.name)
def examine_neighbours() -> list[str]:
    """Asks what the doctor asks of the outside world; each part that failed is an alarm. Returns their names."""
    raise_alarm: Any = import_string(settings.OPERATOR_ALARM)
    reports = list(doctor.examine(doctor.select(outside=True)))
    failed = [each for each in reports if each.level == doctor.Level.FAILED]
    for each in failed:
        raise_alarm(f"doctor_{each.part}", "", f"{each.found}. {each.advice}".strip())
    return [each.part for each in failed]
