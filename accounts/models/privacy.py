"""Models of data exports and erasures."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.enums import OPEN_ERASURES, ErasureStatus, ExportStatus
from accounts.models.people import User
from genvid.leasing import Leased, LeasedQuerySet


class LeasedJob(Leased):
    """Work that the sweep finds until it is done. `due_at` says when somebody must act next; it is also the lease."""

    HELD_BY = ("due_at", "status")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    tries = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Tries of the present step that came to nothing."
    )
    waiting_reason = models.CharField(
        max_length=300, blank=True, help_text="For staff: why it is not done yet.", default="", db_default=""
    )
    told_at = models.DateTimeField(null=True, blank=True, help_text="When its person was mailed.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        abstract = True


class Export(LeasedJob):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.PENDING, db_default=ExportStatus.PENDING
    )
    file = models.CharField(max_length=200, blank=True, help_text="Its name in the storage.", default="", db_default="")
    bytes = models.PositiveBigIntegerField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="File and row are removed then.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user"], name="export_one_at_a_time", condition=Q(status="pending"))
        ]
        indexes = [models.Index(fields=["due_at"], name="export_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.status} since {self.created_at:%Y-%m-%d %H:%M}"


class Erasure(LeasedJob):
    """Erasure of a person and of the accounts without other members. The row is kept as proof."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="erasures")
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(
        max_length=10, choices=ErasureStatus.choices, default=ErasureStatus.WAITING, db_default=ErasureStatus.WAITING
    )
    erase_after = models.DateTimeField(help_text="Until then signing in withdraws it.")
    accounts = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Ids of the accounts that go with the person."
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], name="erasure_one_at_a_time", condition=Q(status__in=sorted(OPEN_ERASURES))
            )
        ]
        indexes = [models.Index(fields=["due_at"], name="erasure_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.status}, after {self.erase_after:%Y-%m-%d %H:%M}"

    @classmethod
    def open_of(cls, user_id: uuid.UUID) -> Self | None:
        waiting = cls._default_manager.filter(user=user_id, status__in=OPEN_ERASURES)
        return waiting.select_for_update(of=("self",)).first()
