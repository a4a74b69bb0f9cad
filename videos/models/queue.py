"""The order of the queue as it was a moment ago, computed for everybody at once."""

from datetime import UTC, datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class QueueSnapshot(models.Model):
    """One row, written by `videos.queue.queue_snapshot` alone."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    version = models.BigIntegerField(
        default=0, db_default=0, help_text="Random, so that no older state is taken for this one."
    )
    computed_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="Until then it is known to be right."
    )
    fingerprint = models.CharField(
        max_length=200, blank=True, help_text="Of what it was computed from.", default="", db_default=""
    )
    newest_queued_at = models.DateTimeField(
        default=LONG_AGO, db_default=LONG_AGO, help_text="Of the waiting videos in it."
    )
    is_shut = models.BooleanField(
        default=False, db_default=False, help_text="Whether HeyGen's gate lets no orders through."
    )
    usable_slots = models.IntegerField(default=0, db_default=0)
    free_slots = models.IntegerField(default=0, db_default=0)
    payload = models.BinaryField(default=b"", db_default=b"")

    def __str__(self) -> str:
        return f"the queue at {self.computed_at:%Y-%m-%d %H:%M:%S} UTC"
