"""Models of outgoing webhooks: endpoints, events, deliveries, attempts."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from encrypted_fields.fields import EncryptedTextField

from accounts.enums import DeliveryStatus, EventType, Health, SwitchedOff
from accounts.models.people import Account
from accounts.querysets import DeliveryQuerySet, EndpointQuerySet
from genvid.leasing import Leased
from genvid.model_fields import ExactCharField


def new_event_id() -> str:
    return f"evt_{uuid.uuid4().hex}"


class WebhookEndpoint(models.Model):
    """Deletion sets `deleted_at`; the row is deleted with its last deliveries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhook_endpoints", db_index=False)
    url = models.CharField(max_length=2048)
    events = models.JSONField(default=list, db_default=[], help_text='Event types, or ["*"].')
    description = models.CharField(max_length=255, blank=True, default="", db_default="")
    enabled = models.BooleanField(default=True, db_default=True)
    secret = EncryptedTextField()
    old_secret = EncryptedTextField(null=True, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    health = models.CharField(max_length=10, choices=Health.choices, default=Health.NEW, db_default=Health.NEW)
    failures = models.PositiveIntegerField(default=0, db_default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(
        max_length=10, choices=SwitchedOff.choices, blank=True, default="", db_default=""
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When its owner was told that we switched it off.")
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["account", "-created_at", "-id"], name="endpoint_page")]

    def __str__(self) -> str:
        return self.url

    def secrets(self, now: datetime) -> list[str]:
        """Secrets that sign at `now`: the current one and, until `old_secret_until`, the previous one."""
        rotating = self.old_secret and self.old_secret_until and now < self.old_secret_until
        return [self.secret, self.old_secret] if rotating else [self.secret]


class EventCounter(models.Model):
    """Last sequence number of an object. Kept as long as an event may tell of it: numbers must not restart."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    object_id = models.CharField(max_length=64)
    last = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "object_id"], name="event_counter_unique")]

    def __str__(self) -> str:
        return f"{self.object_id}: {self.last}"


class OutgoingEvent(models.Model):
    """`body` is the exact text that every delivery sends."""

    id = ExactCharField(primary_key=True, max_length=40, default=new_event_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="outgoing_events", db_index=False)
    type = models.CharField(max_length=32, choices=EventType.choices)
    object_id = models.CharField(max_length=64)
    sequence = models.PositiveIntegerField(help_text="The place among the events of its object, from 1.")
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["account", "object_id", "sequence"], name="event_in_order")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Delivery(Leased):
    """One event for one endpoint. `leased_until` is set while a worker sends it."""

    DUE, HELD_BY = "leased_until", ("leased_until",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(
        max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING, db_default=DeliveryStatus.PENDING
    )
    attempts_made = models.PositiveIntegerField(default=0, db_default=0)
    urgent = models.BooleanField(
        default=False, db_default=False, help_text="Asked for by hand: goes first, and past a pause."
    )
    next_attempt_at = models.DateTimeField(default=timezone.now, db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_page"),
            models.Index(
                fields=["endpoint", "next_attempt_at"], name="delivery_of_endpoint", condition=Q(status="pending")
            ),
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=Q(status="pending")),
            models.Index(fields=["leased_until"], name="delivery_leased", condition=Q(leased_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"


class DeliveryAttempt(models.Model):
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.TextField(blank=True, default="", db_default="")
    error = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering = ["number", "id"]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
