"""Texts that customers have listened to before they pay for a video."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from avatars.models import Upload, Voice
from genvid.leasing import Leased, LeasedQuerySet
from videos.enums import SpeechStatus


class Speech(Leased):
    """A script as one voice says it. `audio` is set once it is ready; a video may be rendered with that very audio."""

    HELD_BY = ("status", "due_at")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="speeches", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    is_test = models.BooleanField(default=False, db_default=False)
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    status = models.CharField(
        max_length=10, choices=SpeechStatus.choices, default=SpeechStatus.CREATING, db_default=SpeechStatus.CREATING
    )

    script = models.TextField()
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="+", db_index=False)
    language = models.CharField(max_length=100, blank=True, default="", db_default="")
    speed = models.FloatField(default=1.0, db_default=1.0)
    text_sha256 = models.CharField(max_length=64, help_text="Of script, voice, language and speed.")

    audio = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    duration_seconds = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)
    words = models.JSONField(default=list, db_default=[], blank=True, help_text="[{word, start, end}], in seconds.")
    credits_held = models.PositiveIntegerField(default=0, db_default=0)
    credits_charged = models.PositiveIntegerField(default=0, db_default=0)
    error_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    error_message = models.CharField(max_length=300, blank=True, default="", db_default="")

    idempotency_key = models.CharField(max_length=80, blank=True, default="", db_default="")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When somebody must act next; also the lease.")
    deadline_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0, db_default=0)
    waiting_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not offered after that.")

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "speeches"
        indexes = [
            models.Index(fields=["account", "text_sha256", "-created_at"], name="speech_same"),
            models.Index(fields=["account", "-created_at", "-id"], name="speech_page"),
            models.Index(fields=["due_at"], name="speech_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["expires_at"], name="speech_expiring", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.script[:60]
