"""Model of invitations."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.enums import Invitable
from accounts.models.people import Account, User
from accounts.querysets import InvitationQuerySet


class Invitation(models.Model):
    """A pending invitation. Accepting and revoking delete the row, so that each can happen once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations", db_index=False)
    email = models.EmailField(db_index=True)
    role = models.CharField(max_length=10, choices=Invitable.choices)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now, db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["account", "email"], name="invitation_one_an_address")]
        indexes = [models.Index(fields=["account", "-created_at", "-id"], name="invitation_page")]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"
