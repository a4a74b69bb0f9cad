"""Models of API keys and idempotency keys."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from encrypted_fields.fields import EncryptedTextField

from accounts.enums import KeyMode
from accounts.models.people import Account, User
from accounts.querysets import ApiKeyQuerySet
from genvid.leasing import Leased


class IdempotencyRecord(Leased):
    DUE, HELD_BY = "claimed_at", ("claimed_at", "status")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="idempotency_records", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    object_id = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Primary key of what the request makes; repetitions find it."
    )
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedTextField(null=True, blank=True, help_text="JSON, as it was sent; it may hold a new secret.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="idempotency_key_unique")]

    def __str__(self) -> str:
        return self.key


class ApiKey(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the secret.")
    mode = models.CharField(max_length=4, choices=KeyMode.choices, default=KeyMode.LIVE, db_default=KeyMode.LIVE)
    scopes = models.JSONField(default=list, db_default=[])
    allowed_addresses = models.JSONField(default=list, db_default=[], blank=True, help_text="Networks; none means any.")
    monthly_credit_limit = models.PositiveIntegerField(null=True, blank=True)
    credits_month = models.DateField(null=True, blank=True, help_text="The month that `credits_used` counts.")
    credits_used = models.PositiveIntegerField(default=0, db_default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["account", "-created_at", "-id"], name="key_page")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
