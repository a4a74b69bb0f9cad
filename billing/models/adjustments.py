"""Credits that staff give or take by hand. Written by `billing.purchases.staff_credits` only."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from billing.enums import AdjustmentStatus


class CreditAdjustment(models.Model):
    """Above STAFF_CREDITS_PER_DAY it waits until a second member of staff confirms it."""

    id = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credit_adjustments", db_index=False)
    credits = models.BigIntegerField(help_text="Negative: taken.")
    reason = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="The client reads it in the ledger."
    )
    may_overdraw = models.BooleanField(
        default=False, db_default=False, help_text="Whether taking may leave less than nothing."
    )
    status = models.CharField(
        max_length=10,
        choices=AdjustmentStatus.choices,
        default=AdjustmentStatus.WAITING,
        db_default=AdjustmentStatus.WAITING,
    )
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    requested_at = models.DateTimeField(default=timezone.now, db_default=Now())
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [models.CheckConstraint(condition=~models.Q(credits=0), name="adjustment_not_nothing")]
        indexes = [
            models.Index(fields=["account", "-requested_at", "-id"], name="adjustment_page"),
            models.Index(fields=["requested_by", "requested_at"], name="adjustment_of_staff"),
            models.Index(
                fields=["requested_at"], name="adjustment_waiting", condition=models.Q(status=AdjustmentStatus.WAITING)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credits:+d} credits ({self.status})"

    @property
    def reference(self) -> str:
        return f"staff:{self.pk}"
