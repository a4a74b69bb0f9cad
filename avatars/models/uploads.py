"""Files that customers bring: images, audio and video, and the audio of texts that were listened to."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from avatars.enums import UploadKind, UploadOrigin, UploadStatus
from genvid.leasing import Leased, LeasedQuerySet


class Upload(Leased):
    """A file in our storage, checked, and its copy at HeyGen once something was rendered with it.

    A row is never removed while something may refer to it: deleting sets `deleted_at`, and a worker removes the file
    here and the asset at HeyGen. `due_at` says when a worker must act on it next.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="uploads", db_index=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    is_test = models.BooleanField(default=False, db_default=False, help_text="Made with a test key.")
    origin = models.CharField(
        max_length=10, choices=UploadOrigin.choices, default=UploadOrigin.CUSTOMER, db_default=UploadOrigin.CUSTOMER
    )
    status = models.CharField(
        max_length=10, choices=UploadStatus.choices, default=UploadStatus.READY, db_default=UploadStatus.READY
    )
    kind = models.CharField(max_length=10, choices=UploadKind.choices)
    filename = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="As its owner calls it."
    )
    content_type = models.CharField(max_length=100, blank=True, default="", db_default="")
    bytes = models.PositiveBigIntegerField(default=0, db_default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)
    notes = models.JSONField(default=list, db_default=[], blank=True, help_text="What was changed about the file.")
    file = models.FileField(max_length=300, blank=True, default="", db_default="")

    # Its copy at HeyGen
    provider_asset_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    asset_key = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Idempotency-Key of the call that sends it."
    )

    refusal = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Why it is refused, in words for its owner."
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="When somebody must act next; also the lease.")
    tries = models.PositiveIntegerField(default=0, db_default=0)
    waiting_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Removed then, if nothing uses it.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="upload_page", condition=Q(deleted_at=None)),
            # Deleted ones count for the day, too.
            models.Index(fields=["account", "-created_at"], name="upload_day"),
            models.Index(fields=["due_at"], name="upload_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["expires_at"],
                name="upload_expiring",
                condition=Q(expires_at__isnull=False, deleted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.filename or str(self.pk)
