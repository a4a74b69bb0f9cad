"""The table of heartbeats: one row for beat, one for each queue. All moments are the database's."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

BEAT = "beat"
"""The row of beat; the others are called like their queue."""


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
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
