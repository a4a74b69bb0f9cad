"""Customers, checkouts, payments, refunds, disputes, invoices. Amounts are in minor units of `currency` (cents)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from billing.enums import (
    AfterLoss,
    CheckoutStatus,
    DisputeStatus,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
    RefundStatus,
)
from billing.models.plans import PlanPrice


class Customer(models.Model):
    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="customer")
    stripe_customer_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.stripe_customer_id


class FormerCustomer(models.Model):
    """A customer deleted at Stripe, to whom late events may still refer."""

    stripe_customer_id = models.CharField(max_length=255, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="former_customers")
    is_erased = models.BooleanField(
        default=False, db_default=False, help_text="The account was erased, and with it the customer's data."
    )
    gone_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-gone_at"]

    def __str__(self) -> str:
        return f"{self.stripe_customer_id} (gone)"


class Checkout(models.Model):
    """A purchase on Stripe's pay page. Written before the call, so a retry does not start a second one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checkouts")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    price = models.ForeignKey(PlanPrice, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=10,
        choices=CheckoutStatus.choices,
        default=CheckoutStatus.STARTING,
        db_default=CheckoutStatus.STARTING,
    )
    stripe_session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["created_at"], name="checkout_open", condition=Q(status="open"))]

    def __str__(self) -> str:
        return f"{self.price_id} ({self.status})"


class Payment(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=12, choices=PaymentKind.choices)
    source_id = models.CharField(
        max_length=255, unique=True, help_text="The session, invoice or payment intent that was paid."
    )
    price = models.ForeignKey(PlanPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    description = models.CharField(max_length=200, blank=True, default="", db_default="")
    stripe_payment_intent_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    stripe_charge_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    amount = models.PositiveBigIntegerField()
    amount_refunded = models.PositiveBigIntegerField(default=0, db_default=0)
    amount_disputed = models.PositiveBigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    credits_taken_back = models.PositiveBigIntegerField(default=0, db_default=0)
    credits_forgiven = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Credits of refunded money that expired unused and are not taken back."
    )
    credits_unused = models.PositiveBigIntegerField(
        default=0,
        db_default=0,
        help_text="Credits of a plan's unused time, credited to another plan or to the balance.",
    )
    corrections = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Number of clawback entries in the ledger."
    )
    receipt_url = models.CharField(max_length=2048, blank=True, default="", db_default="")
    fraud_warned_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="payment_page"),
            models.Index(fields=["paid_at"], name="payment_paid"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.description or self.kind}"

    @property
    def amount_lost(self) -> int:
        return min(self.amount, self.amount_refunded + self.amount_disputed)

    @property
    def status(self) -> PaymentStatus:
        if self.amount_disputed:
            return PaymentStatus.DISPUTED
        if self.amount_refunded == 0:
            return PaymentStatus.PAID
        return PaymentStatus.REFUNDED if self.amount_refunded >= self.amount else PaymentStatus.PARTIALLY_REFUNDED


class Refund(models.Model):
    """Its status only moves to a higher `REFUND_RANK`, so events may come in any order."""

    stripe_refund_id = models.CharField(max_length=255, primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.PositiveBigIntegerField()
    status = models.CharField(max_length=16, choices=RefundStatus.choices)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status})"


class Dispute(models.Model):
    stripe_dispute_id = models.CharField(max_length=255, primary_key=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    amount = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=DisputeStatus.choices)
    reason = models.CharField(max_length=60, blank=True, default="", db_default="")
    after_loss = models.CharField(  # noqa: DJ001 - the previous release does not write this column
        max_length=10,
        choices=AfterLoss.choices,
        null=True,
        blank=True,
        help_text="What happened to the payment's subscription; empty until decided.",
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status})"


class Invoice(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices")
    stripe_invoice_id = models.CharField(max_length=255, unique=True)
    number = models.CharField(max_length=60, blank=True, default="", db_default="")
    status = models.CharField(max_length=15, choices=InvoiceStatus.choices)
    amount_due = models.BigIntegerField()
    amount_paid = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    hosted_url = models.CharField(max_length=2048, blank=True, default="", db_default="")
    pdf_url = models.CharField(max_length=2048, blank=True, default="", db_default="")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    read_at = models.DateTimeField(help_text="When Stripe was read; older facts are ignored.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["account", "-created_at", "-id"], name="invoice_page")]

    def __str__(self) -> str:
        return f"{self.number or self.stripe_invoice_id} ({self.status})"
