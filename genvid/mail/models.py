"""Mails to be sent, as rows."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from genvid.leasing import Leased, LeasedQuerySet


class QueuedMailQuerySet(LeasedQuerySet):
    def unsent(self) -> "QueuedMailQuerySet":
        """Those that are still to be sent, due or not."""
        return self.filter(due_at__isnull=False)


class QueuedMail(Leased):
    """A mail that is owed. Its text is made when it is sent, and so are the tokens in it: the row never holds one.

    `due_at` is schedule and lease in one, null once nothing is to be done any more. All moments are the database's.
    `person` and `account` are ids without a foreign key: this app stands below theirs.
    """

    ATTEMPTS: ClassVar[str] = "attempts"
    COUNTS_CLAIMS: ClassVar[bool] = True
    ERROR: ClassVar[str] = "error"
    HELD_BY: ClassVar[tuple[str, ...]] = ("attempts", "due_at")

    kind = models.CharField(max_length=60, help_text="Which composer makes its text.")
    key = models.CharField(max_length=255, null=True, blank=True, unique=True, help_text="Of mails that are sent once.")
    person = models.UUIDField(null=True, blank=True, db_index=True, help_text="Whom it is to, or about.")
    account = models.UUIDField(null=True, blank=True, db_index=True, help_text="The account that it is about.")
    address = models.EmailField(blank=True, db_index=True, help_text="Where it goes, where no row says so.")
    data = models.JSONField(default=dict, blank=True, help_text="Plain values and ids for the text. Never a secret.")
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="Of the last attempt.")
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)

    objects = QueuedMailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "mail"
        indexes = [models.Index(fields=["due_at"], name="mail_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
