"""Stripe objects to re-read, the result of `setup_stripe`, and mails of the previous release."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from billing.enums import MailKind, SyncKind
from genvid.leasing import Leased, LeasedQuerySet


class StripeSyncQuerySet(LeasedQuerySet):
    def stuck(self) -> "StripeSyncQuerySet":
        """Those that failed for good: only staff can settle them."""
        return self.filter(Q(due_at=None) & ~Q(error=""))


class StripeSync(Leased):
    """A Stripe object to re-read, one row per object. An event increments `version`, so a run that it overlaps is
    followed by another.
    """

    ERROR, COUNTS_CLAIMS, HELD_BY = "error", True, ("due_at", "version")

    kind = models.CharField(max_length=15, choices=SyncKind.choices)
    object_id = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=1, db_default=1)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveIntegerField(default=0, db_default=0, help_text="Since the last success.")
    error = models.CharField(max_length=300, blank=True, default="", db_default="")
    noted_at = models.DateTimeField(default=timezone.now, db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    objects = StripeSyncQuerySet.as_manager()

    class Meta:
        db_table = "billing_nudge"
        ordering = ["-noted_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="nudge_one_a_thing")]
        indexes = [
            models.Index(fields=["due_at"], name="nudge_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["noted_at"], name="sync_stuck", condition=Q(due_at=None) & ~Q(error="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Letter(models.Model):
    """A mail about money written by the previous release. The next release drops the table (`billing.mails`)."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="letters", help_text="Empty: to staff."
    )
    kind = models.CharField(max_length=20, choices=MailKind.choices)
    reference = models.CharField(max_length=160)
    words = models.JSONField(default=dict, db_default={})
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="letter_once")]
        indexes = [models.Index(F("due_at"), name="letter_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Shop(models.Model):
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    portal_configuration_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    set_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="shop_only_one")]

    def __str__(self) -> str:
        return f"set up {self.set_up_at}"
