"""Stripe objects to re-read, what `setup_stripe` made, and mails of the previous release."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Account
from billing.enums import MailKind, SyncKind
from genvid.leasing import Leased, LeasedQuerySet


class StripeSync(Leased):
    """A Stripe object to re-read: one row per object, however many events mention it.

    `due_at` is schedule and lease in one, None when nothing is to be done. `version` counts the events, so that a
    change during a run triggers another run.
    """

    ERROR, COUNTS_CLAIMS, HELD_BY = "error", True, ("due_at", "version")

    kind = models.CharField(max_length=15, choices=SyncKind.choices)
    object_id = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=1)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveIntegerField(default=0, help_text="Since it last succeeded.")
    error = models.CharField(max_length=300, blank=True)
    noted_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        db_table = "billing_nudge"
        ordering = ["-noted_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="nudge_one_a_thing")]
        indexes = [models.Index(fields=["due_at"], name="nudge_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Letter(models.Model):
    """A mail about money that the release before wrote. The next release drops it (`billing.mails`)."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="letters", help_text="Empty: to staff."
    )
    kind = models.CharField(max_length=20, choices=MailKind.choices)
    reference = models.CharField(max_length=160)
    words = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["kind", "reference"], name="letter_once")]
        indexes = [models.Index(F("due_at"), name="letter_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Shop(models.Model):
    """What `setup_stripe` made at Stripe and is needed again. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    portal_configuration_id = models.CharField(max_length=255, blank=True)
    set_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="shop_only_one")]

    def __str__(self) -> str:
        return f"set up {self.set_up_at}"
