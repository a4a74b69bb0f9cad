"""Wallets and their proof. All amounts are whole credits unless the name says otherwise.

Nothing here is written outside `billing.credits`: entries are append-only, and balance and holds move by single
statements under the wallet's row lock.
"""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Account, ApiKey
from billing.enums import EntryKind, HoldStatus, LotSource


class Tier(models.Model):
    """What a plan entitles to, beside its credits. A wallet without one has the tier `free`."""

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=60)
    weight = models.PositiveSmallIntegerField(default=1, help_text="Its share when render slots are scarce.")
    max_in_flight = models.PositiveSmallIntegerField(help_text="Videos that may render at once.")
    retention_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: kept for ever.")
    requests_per_minute = models.PositiveIntegerField(default=120, help_text="Of one person, or of one API key.")

    class Meta:
        ordering = ["weight", "code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gt=0, max_in_flight__gt=0), name="tier_gives_something")
        ]

    def __str__(self) -> str:
        return self.name


class Wallet(models.Model):
    """An account's credits. `balance` is the sum of its entries; `held` the sum of its open holds."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="wallet")
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    tier = models.ForeignKey(Tier, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=models.Q(held__gte=0), name="wallet_held_not_negative")]

    def __str__(self) -> str:
        return f"{self.balance} credits, {self.held} held"

    @property
    def available(self) -> int:
        """What a new hold may take. Negative after a clawback of credits already spent."""
        return self.balance - self.held


class CreditLot(models.Model):
    """Credits of one origin. Lots are consumed soonest-expiring first."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots")
    source = models.CharField(max_length=12, choices=LotSource.choices)
    reference = models.CharField(max_length=120, unique=True)
    granted = models.PositiveBigIntegerField()
    remaining = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

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
    """Credits set aside for something that is being made. Settled exactly once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds")
    reference = models.CharField(max_length=120, unique=True)
    amount = models.PositiveBigIntegerField()
    captured = models.PositiveBigIntegerField(default=0)
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=10, choices=HoldStatus.choices, default=HoldStatus.OPEN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(captured__lte=models.F("amount")), name="hold_capture_within_amount"
            )
        ]
        indexes = [
            models.Index(fields=["wallet", "settled_at"], name="hold_usage", condition=models.Q(status="captured"))
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.reference} ({self.status})"


class LedgerEntry(models.Model):
    """One movement of a balance, for ever. (`reference`, `kind`) makes each happen once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.PositiveBigIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    credits = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    reference = models.CharField(max_length=160)
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

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


class RenderRate(models.Model):
    """What a second of finished video costs the customer, and what it costs us, from a day on.

    `resolution` or `avatar_kind` left empty matches all; the most exact and newest row wins.
    """

    engine = models.CharField(max_length=20)
    avatar_kind = models.CharField(max_length=20, blank=True)
    resolution = models.CharField(max_length=10, blank=True)
    credits_per_second = models.DecimalField(max_digits=8, decimal_places=3)
    minimum_credits = models.PositiveIntegerField(default=1)
    provider_microdollars_per_second = models.PositiveIntegerField()
    valid_from = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["engine", "avatar_kind", "resolution", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["engine", "avatar_kind", "resolution", "valid_from"], name="rate_unique"),
            models.CheckConstraint(condition=models.Q(credits_per_second__gt=0), name="rate_positive"),
        ]

    def __str__(self) -> str:
        parts = (self.engine, self.avatar_kind or "any", self.resolution or "any")
        return f"{' · '.join(parts)}: {self.credits_per_second} credits a second"
