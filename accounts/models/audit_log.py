"""Models of the audit log. Only `accounts.audit_log` writes them."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.enums import AuditAct
from accounts.models.access import ApiKey
from accounts.models.people import Account, User


class AuditEntry(models.Model):
    """`account` is null for users without one; `user` is null for unknown and for erased people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="audit_entries")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Who did it.")
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    act = models.CharField(max_length=40, choices=AuditAct.choices)
    by_staff = models.BooleanField(default=False, db_default=False, help_text="The operator's people did it.")
    detail = models.JSONField(default=dict, db_default={}, help_text="What it was done to. Never a secret.")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="", db_default="")
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="audit_page"),
            models.Index(fields=["user", "-created_at"], name="audit_of_user"),
            models.Index(fields=["created_at"], name="audit_age"),
            models.Index(fields=["-created_at", "-id"], name="audit_staff", condition=models.Q(by_staff=True)),
        ]

    def __str__(self) -> str:
        return f"{self.act} at {self.created_at:%Y-%m-%d %H:%M:%S}"


class StaffActManager(models.Manager["StaffAct"]):
    def get_queryset(self) -> models.QuerySet["StaffAct"]:
        return super().get_queryset().filter(by_staff=True)


class StaffAct(AuditEntry):
    objects = StaffActManager()  # type: ignore[misc]  # django-stubs takes the inherited manager for a class variable

    class Meta:
        proxy = True
        verbose_name = "act of staff"
        verbose_name_plural = "acts of staff"
