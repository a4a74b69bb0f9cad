"""Plans and their prices. Amounts are in minor units of `currency` (cents)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from billing.enums import Interval, PlanKind
from billing.models.rates import Tier


class Plan(models.Model):
    """A subscription or a pack of credits. Changed terms make a new price at Stripe."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=PlanKind.choices)
    interval = models.CharField(
        max_length=5, choices=Interval.choices, blank=True, help_text="Subscriptions only.", default="", db_default=""
    )
    amount = models.PositiveIntegerField(help_text="Minor units: cents.")
    currency = models.CharField(max_length=3, default="usd", db_default="usd")
    credits = models.PositiveIntegerField(help_text="A pack's at once; a subscription's per month, yearly ones too.")
    tier = models.ForeignKey(
        Tier, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Subscriptions only."
    )
    trial_days = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Subscriptions only.")
    trial_credits = models.PositiveIntegerField(default=0, db_default=0, help_text="Credits of the trial.")
    features = models.JSONField(default=list, db_default=[], blank=True, help_text="Lines for the price list.")
    position = models.PositiveSmallIntegerField(default=0, db_default=0)
    is_active = models.BooleanField(
        default=True, db_default=True, help_text="Whether it is for sale. Existing subscribers keep it."
    )
    stripe_product_id = models.CharField(max_length=255, blank=True, editable=False, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=PlanKind.PACK, interval="", tier=None, trial_days=0)
                | (Q(kind=PlanKind.SUBSCRIPTION, tier__isnull=False) & ~Q(interval="")),
                name="plan_is_pack_or_subscription",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, credits__gt=0), name="plan_gives_and_costs"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> tuple[int, str, str, int]:
        """A change of any of these needs a new price."""
        return (self.amount, self.currency, self.interval, self.credits)


class PlanPrice(models.Model):
    """A price at Stripe. Its terms never change: subscribers keep them."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    stripe_price_id = models.CharField(max_length=255, unique=True)
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=5, choices=Interval.choices, blank=True, default="", db_default="")
    credits = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["plan"], condition=Q(is_current=True), name="price_one_current"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.credits} credits ({self.stripe_price_id})"

    @property
    def terms(self) -> tuple[int, str, str, int]:
        return (self.amount, self.currency, self.interval, self.credits)
