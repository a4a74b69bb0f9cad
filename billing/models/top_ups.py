"""Automatic purchases of credits. Amounts are in minor units (cents)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from billing.enums import TopUpStatus
from billing.models.plans import Plan, PlanPrice
from genvid.leasing import Leased, LeasedQuerySet


class TopUpRule(models.Model):
    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="top_up_rule")
    enabled = models.BooleanField(default=True, db_default=True)
    threshold = models.PositiveIntegerField(help_text="A purchase starts when fewer credits are available.")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", help_text="The pack.")
    monthly_limit = models.PositiveIntegerField(help_text="Minor units in a calendar month, UTC.")
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text="After a failed payment or at the monthly limit."
    )
    pause_reason = models.CharField(max_length=60, blank=True, default="", db_default="")

    class Meta:
        ordering = ["account"]

    def __str__(self) -> str:
        return f"{self.plan_id} below {self.threshold}"


class TopUp(Leased):
    """One automatic purchase. Written before the call; its id is the call's Idempotency-Key."""

    HELD_BY = ("status",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="top_ups")
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    amount = models.PositiveIntegerField()
    status = models.CharField(
        max_length=12, choices=TopUpStatus.choices, default=TopUpStatus.PENDING, db_default=TopUpStatus.PENDING
    )
    stripe_payment_intent_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    error = models.CharField(max_length=120, blank=True, default="", db_default="")
    due_at = models.DateTimeField(
        default=timezone.now,
        null=True,
        blank=True,
        help_text="When a pending purchase is due; while it runs, when its lease ends.",
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(status="pending"), name="top_up_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status})"
