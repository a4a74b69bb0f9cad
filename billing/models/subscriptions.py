"""Subscriptions and their credit allowances."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from billing.enums import ENTITLING, SubscriptionStatus
from billing.models.payments import Payment
from billing.models.plans import PlanPrice
from genvid import database_clock


class Subscription(models.Model):
    stripe_subscription_id = models.CharField(max_length=255, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=20, choices=SubscriptionStatus.choices)
    current_period_start = models.DateTimeField()
    current_period_end = models.DateTimeField()
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False, db_default=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    grace_until = models.DateTimeField(null=True, blank=True, help_text="While past due: how long the tier is kept.")
    read_at = models.DateTimeField(help_text="When Stripe was read; older facts are ignored.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["account", "-created_at"], name="subscription_of_account")]

    def __str__(self) -> str:
        return f"{self.price.plan.name} ({self.status})"

    @property
    def gives_its_tier(self) -> bool:
        if self.status == SubscriptionStatus.PAST_DUE:
            return self.grace_until is not None and self.grace_until > database_clock.now()
        return self.status in ENTITLING


class Allowance(models.Model):
    """Credits that a paid invoice grants at `due_at`; a yearly invoice has one per month."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allowances")
    stripe_subscription_id = models.CharField(max_length=255)
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=120, unique=True)
    credits = models.PositiveIntegerField()
    issued_at = models.DateTimeField(help_text="When the invoice was created.")
    sequence = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Position among the customer's invoices, from the invoice number."
    )
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    granted_at = models.DateTimeField(null=True, blank=True)
    void_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is not owed any more.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(fields=["due_at"], name="allowance_due", condition=Q(granted_at=None, void_at=None)),
            models.Index(fields=["stripe_subscription_id"], name="allowance_of_subscription"),
        ]

    def __str__(self) -> str:
        return f"{self.credits} on {self.due_at:%Y-%m-%d} ({self.reference})"


class AllowanceStop(models.Model):
    """A plan change: earlier invoices grant no credits of this price after `since`."""

    invoice_id = models.CharField(max_length=255, help_text="At Stripe.")
    stripe_subscription_id = models.CharField(max_length=255)
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    issued_at = models.DateTimeField()
    sequence = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["since"]
        constraints = [models.UniqueConstraint(fields=["invoice_id", "price"], name="stop_once")]

    def __str__(self) -> str:
        return f"{self.price_id} since {self.since:%Y-%m-%d}"
