"""The table of heartbeats: one row for beat, one for each queue. All moments are the database's."""

import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import ExpressionWrapper, Value
from django.db.models.functions import Now
from django.utils import timezone

BEAT = "beat"
"""The row of beat; the others are called like their queue."""


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def record(self, name: str) -> None:
        """The heartbeat of this process, now by the database's clock."""
        ahead = ExpressionWrapper(Value(timezone.now(), models.DateTimeField()) - Now(), models.DurationField())
        own = {"clock_ahead": ahead, "host": socket.gethostname()[:100]}
        self.upsert([Heartbeat(name=name, beat_at=Now(), **own)], "beat_at", *own)

    def upsert(self, rows: Iterable["Heartbeat"], *columns: str) -> None:
        """Insert the rows, or set only these columns of those that exist, in one statement."""
        self.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=columns)

    def with_now(self) -> Self:
        return self.annotate(now=Now())


class Heartbeat(models.Model):
    name = models.CharField(primary_key=True, max_length=100)
    asked_at = models.DateTimeField(null=True, help_text="When beat sent the first message that is not answered yet.")
    sent_at = models.DateTimeField(null=True, help_text="When beat sent the last message.")
    beat_at = models.DateTimeField(null=True, help_text="The last heartbeat.")
    clock_ahead = models.DurationField(
        null=True,
        help_text="By how much the clock of the machine that gave a heartbeat was ahead of the database's.",
    )
    host = models.CharField(max_length=100, db_default="", help_text="That machine.")
    now: datetime
    """Of the database, by `with_now`."""

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_unanswered(self) -> bool:
        """Whether a message waits for a thread of the queue, or was lost."""
        return self.asked_at is not None and (self.beat_at is None or self.beat_at < self.asked_at)

    def silence(self, now: datetime) -> timedelta:
        """For how long beat has written nothing, or a queue's message has waited: a queue that nobody asks is well."""
        if self.name == BEAT:
            return now - self.beat_at if self.beat_at else timedelta.max
        if self.is_unanswered and self.asked_at:
            return now - self.asked_at
        return timedelta() if self.beat_at else timedelta.max
