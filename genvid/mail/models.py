"""The table of queued mails."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from genvid.leasing import Leased, LeasedQuerySet


class QueuedMailQuerySet(LeasedQuerySet):
    def unsent(self) -> "QueuedMailQuerySet":
        return self.filter(due_at__isnull=False)

    def given_up(self) -> "QueuedMailQuerySet":
        return self.filter(given_up_at__isnull=False)


class QueuedMail(Leased):
    """A queued mail. Text and tokens are made when it is sent: the row never holds a token.

    `due_at` is null once the mail is done. `person` and `account` are ids without a foreign key, because this app is
    below theirs.
    """

    ATTEMPTS: ClassVar[str] = "attempts"
    COUNTS_CLAIMS: ClassVar[bool] = True
    ERROR: ClassVar[str] = "error"
    HELD_BY: ClassVar[tuple[str, ...]] = ("attempts", "due_at")

    kind = models.CharField(max_length=60, help_text="Which composer makes its text.")
    key = models.CharField(max_length=255, null=True, blank=True, unique=True, help_text="Of mails that are sent once.")
    person = models.UUIDField(null=True, blank=True, db_index=True, help_text="Whom it is to, or about.")
    account = models.UUIDField(null=True, blank=True, db_index=True, help_text="The account that it is about.")
    address = models.EmailField(
        blank=True, db_index=True, help_text="Where it goes, where no row says so.", default="", db_default=""
    )
    data = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Plain values and ids for the text. Never a secret."
    )
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="Of the last attempt.", default="", db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)

    objects = QueuedMailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "mail"
        indexes = [
            models.Index(fields=["due_at"], name="mail_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["given_up_at"], name="mail_given_up", condition=Q(given_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
