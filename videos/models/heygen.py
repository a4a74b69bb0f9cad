"""Models of what is known of HeyGen: gate, render times, alarms, webhook endpoints, deliveries."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from encrypted_fields.fields import EncryptedTextField

from accounts.models import Account
from genvid import database_clock
from genvid.model_fields import ExactCharField
from videos.querysets import OperatorAlarmQuerySet


class RenderTime(models.Model):
    """HeyGen's recent times from acceptance of an order to its end in seconds, for one engine and length of video."""

    engine = models.CharField(max_length=20)
    longest = models.PositiveIntegerField(help_text="Seconds of video, up to this many.")
    samples = models.PositiveIntegerField()
    p05 = models.FloatField()
    p50 = models.FloatField()
    p90 = models.FloatField()
    p99 = models.FloatField()
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        db_table = "videos_renderpace"
        ordering = ["engine", "longest"]
        constraints = [models.UniqueConstraint(fields=["engine", "longest"], name="pace_unique")]

    def __str__(self) -> str:
        return f"{self.engine} up to {self.longest} s: {self.p50:.0f} s"


class ProviderState(models.Model):
    """The circuit breaker's row. No slot is handed out until `closed_until`, or while staff paused it."""

    name = models.CharField(max_length=20, primary_key=True)
    closed_until = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True, default="", db_default="")
    message = models.CharField(max_length=500, blank=True, default="", db_default="")
    needs_staff = models.BooleanField(default=False, db_default=False)
    needs_staff_since = models.DateTimeField(null=True, blank=True)
    staff_told = models.CharField(
        max_length=20, blank=True, help_text="What the last alarm said; empty: all is well.", default="", db_default=""
    )
    until_rendered = models.BooleanField(default=False, db_default=False, help_text="Only a finished render opens it.")
    closings = models.PositiveIntegerField(
        default=0, db_default=0, help_text="In a row, without an order taken between."
    )
    changed_at = models.DateTimeField(default=timezone.now, db_default=Now())
    tripped_by = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whose order closed it last.",
    )
    looked_at = models.DateTimeField(
        null=True, blank=True, help_text="When our balance was last read while it was closed."
    )
    balance_seen = models.DecimalField(
        max_digits=20, decimal_places=6, null=True, blank=True, help_text="What was left then; -1: our key was refused."
    )
    learned_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Videos that HeyGen took at once.")
    learned_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=254, blank=True, default="", db_default="")
    unanswered_since = models.DateTimeField(
        null=True, blank=True, help_text="Since then calls were made and none was answered."
    )
    unreachable_since = models.DateTimeField(
        null=True, blank=True, help_text="The same, once staff were alarmed of it; null: HeyGen answers."
    )
    events_seen_until = models.DateTimeField(null=True, blank=True, help_text="HeyGen's history is read up to here.")

    def __str__(self) -> str:
        return f"{self.name}: {self.status_text}"

    @property
    def status_text(self) -> str:
        """ "ok", "paused", "unreachable since …", or "closed: " and the code."""
        if self.unreachable_since is not None:
            return f"unreachable since {self.unreachable_since:%Y-%m-%d %H:%M} UTC"
        waits = self.closed_until is not None and self.closed_until > database_clock.now()
        if self.needs_staff or waits:
            return f"closed: {self.code}"
        return "paused" if self.paused_at else "ok"


class ProviderOutage(models.Model):
    """A time in which HeyGen answered no call. At most one lasts."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    is_over = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["-began_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["is_over"], condition=Q(is_over=False), name="outage_one_lasts")]

    def __str__(self) -> str:
        return f"since {self.began_at:%Y-%m-%d %H:%M:%S} UTC"


class ProviderBalance(models.Model):
    """What was left in the wallet at HeyGen at one moment."""

    read_at = models.DateTimeField()
    remaining = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=20)

    class Meta:
        ordering = ["-read_at", "-id"]
        indexes = [models.Index(fields=["read_at"], name="balance_read")]

    def __str__(self) -> str:
        return f"{self.remaining:f} {self.currency} at {self.read_at:%Y-%m-%d %H:%M}"


class OperatorAlarm(models.Model):
    """An incident for staff, mailed at most once a day per `key`."""

    key = models.CharField(max_length=200, unique=True)
    code = models.CharField(max_length=60)
    text = models.CharField(max_length=1000, help_text="As it was the last time.")
    count = models.PositiveIntegerField(default=1, db_default=1)
    first_at = models.DateTimeField(default=timezone.now, db_default=Now())
    last_at = models.DateTimeField(default=timezone.now, db_default=Now())
    mailed_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody took it on. It is open again when it happens again."
    )
    acknowledged_by = models.CharField(max_length=254, blank=True, default="", db_default="")

    objects = OperatorAlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-id"]

    def __str__(self) -> str:
        return self.key


class ProviderWebhook(models.Model):
    endpoint_id = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    secret = EncryptedTextField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Replaced; still good for a while.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    key = ExactCharField(max_length=255, unique=True)
    event_type = models.CharField(max_length=100)
    provider_video_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    callback_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    payload = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    processed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=100, blank=True, default="", db_default="")
    missed = models.BooleanField(
        default=False, db_default=False, help_text="It never came: it was found in HeyGen's history."
    )

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["received_at"], name="delivery_open", condition=Q(processed_at=None)),
            models.Index(fields=["received_at"], name="delivery_age"),
            models.Index(fields=["callback_id"], name="delivery_of_video", condition=~Q(callback_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.provider_video_id}"
