"""Texts that customers have listened to before they pay for a video."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from avatars.models import Upload, Voice
from genvid import request_context as request_context_module
from genvid.heygen.failures import RETRYABLE
from genvid.leasing import Leased, LeasedQuerySet
from videos.enums import SpeechStatus

KEPT = timedelta(hours=24)
REFUSED_KEPT = timedelta(days=90)
"""Of the words that HeyGen's policy refused, for the operator's report; their customer sees them for KEPT alone."""
REFUSED = "content_refused"
OUR_FAULT = RETRYABLE | {"provider_unavailable"}
"""Error codes after which the text may be sent again as it is."""


class Speech(Leased):
    """A script as one voice says it. `audio` is set once it is ready; a video may be rendered with that very audio.

    `due_at` says when somebody must act next: a worker makes it, and clears it when it has ended and expires.
    """

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
    free_seconds = models.DecimalField(
        max_digits=9, decimal_places=3, default=0, db_default=0, help_text="Of its day's free seconds; live ones alone."
    )
    credits_held = models.PositiveIntegerField(default=0, db_default=0)
    credits_charged = models.PositiveIntegerField(default=0, db_default=0)
    error_code = models.CharField(max_length=60, blank=True, default="", db_default="")
    error_message = models.CharField(max_length=300, blank=True, default="", db_default="")

    idempotency_key = models.CharField(max_length=80, blank=True, default="", db_default="")
    order_seconds = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What HeyGen spoke, in seconds, by number of the order."
    )
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
            models.Index(fields=["audio"], name="speech_of_audio", condition=Q(audio__isnull=False)),
            models.Index(fields=["due_at"], name="speech_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["-created_at"], name="speech_refused", condition=Q(error_code=REFUSED, is_test=False)),
        ]

    def __str__(self) -> str:
        return self.script[:60]

    @property
    def money_reference(self) -> str:
        return f"speech:{self.pk}"

    def order_key(self, number: int) -> str:
        """The Idempotency-Key of its order number so and so, from 1."""
        return f"speech.{self.pk}.{number}"

    @property
    def order_number(self) -> int:
        return int(self.idempotency_key.rpartition(".")[2])

    @property
    def error_retryable(self) -> bool:
        return self.error_code in OUR_FAULT

    @property
    def request_context(self) -> request_context_module.RequestContext:
        return request_context_module.RequestContext.of(
            request_id=self.request_id,
            account_id=self.account_id,
            user_id=self.created_by_id,
            key_id=self.api_key_id,
        )
