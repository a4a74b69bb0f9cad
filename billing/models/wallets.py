"""Wallets, lots, holds, ledger entries, in credits. Written under the wallet's lock, by ledger code of billing only."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey
from billing.enums import EntryKind, HoldStatus, LotSource
from billing.models.rates import Tier
from genvid.model_fields import ExactCharField

OVERDRAWN = models.Q(balance__lt=models.F("held"))
"""Of wallets that owe credits after a clawback."""


class Wallet(models.Model):
    """`balance` is the sum of the entries, `held` the sum of the open holds."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="wallet")
    balance = models.BigIntegerField(default=0, db_default=0)
    held = models.BigIntegerField(default=0, db_default=0)
    tier = models.ForeignKey(Tier, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    low_armed = models.BooleanField(
        default=False, db_default=False, help_text="Whether the next fall below LOW_CREDITS warns the owners."
    )
    overrun_factor = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=Decimal(1),
        db_default=Decimal(1),
        help_text="Multiplies holds for 30 days after a large overrun.",
    )
    overrun_at = models.DateTimeField(null=True, blank=True, help_text="Time of the last large overrun.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=models.Q(held__gte=0), name="wallet_held_not_negative")]

    def __str__(self) -> str:
        return f"{self.balance} credits, {self.held} held"

    @property
    def available(self) -> int:
        return self.balance - self.held


class CreditLot(models.Model):
    """Credits of one origin. Lots are consumed soonest-expiring first."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots")
    source = models.CharField(max_length=12, choices=LotSource.choices)
    reference = ExactCharField(max_length=120, unique=True)
    payment = models.ForeignKey("billing.Payment", null=True, blank=True, on_delete=models.PROTECT, related_name="lots")
    granted = models.PositiveBigIntegerField()
    remaining = models.PositiveBigIntegerField()
    expired = models.PositiveBigIntegerField(default=0, db_default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = [models.F("expires_at").asc(nulls_last=True), "created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(remaining__lte=models.F("granted")), name="lot_remaining_within_grant"
            )
        ]
        indexes = [models.Index(fields=["wallet", "expires_at"], name="lot_live", condition=models.Q(remaining__gt=0))]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.granted} from {self.reference}"


class Hold(models.Model):
    """Credits reserved for what is being made. Settled exactly once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds")
    reference = ExactCharField(max_length=120, unique=True)
    amount = models.PositiveBigIntegerField()
    captured = models.PositiveBigIntegerField(default=0, db_default=0)
    needed = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="The cost in credits, where it exceeded the hold."
    )
    overrun_factor = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=Decimal(1),
        db_default=Decimal(1),
        help_text="The wallet's factor when this was held.",
    )
    provider_microdollars = models.PositiveBigIntegerField(
        null=True, blank=True, default=0, db_default=0, help_text="Our cost, by the prices of that day. Empty: unknown."
    )
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    status = models.CharField(
        max_length=10, choices=HoldStatus.choices, default=HoldStatus.OPEN, db_default=HoldStatus.OPEN
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(captured__lte=models.F("amount")), name="hold_capture_within_amount"
            )
        ]
        indexes = [
            models.Index(fields=["wallet", "settled_at"], name="hold_usage", condition=models.Q(status="captured")),
            models.Index(fields=["api_key"], name="hold_of_key", condition=models.Q(api_key__isnull=False)),
            models.Index(fields=["settled_at"], name="hold_overrun", condition=models.Q(needed__isnull=False)),
            models.Index(
                fields=["settled_at", "provider_microdollars"],
                name="hold_costs",
                condition=models.Q(status="captured"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.reference} ({self.status})"


class LedgerEntry(models.Model):
    """Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.PositiveBigIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    credits = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    reference = models.CharField(max_length=160)
    description = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["reference", "kind"], name="entry_happens_once"),
            models.UniqueConstraint(fields=["wallet", "sequence"], name="entry_order"),
        ]
        indexes = [models.Index(fields=["wallet", "-created_at", "-id"], name="entry_page")]

    def __str__(self) -> str:
        return f"{self.credits:+d} {self.kind} ({self.reference})"
