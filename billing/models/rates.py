"""Render rates, fees, and the limits of tiers."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from billing.enums import FeeUnit, Sold

GIGABYTE = 1_000_000_000


class Tier(models.Model):
    """A wallet without one has the tier `free`."""

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=60)
    weight = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Share of scarce render slots, relative to other accounts."
    )
    max_in_flight = models.PositiveSmallIntegerField(help_text="Videos that may render at once.")
    retention_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: kept for ever.")
    requests_per_minute = models.PositiveIntegerField(
        default=120, db_default=120, help_text="Per person, or per API key."
    )
    uploads_per_day = models.PositiveIntegerField(default=20, db_default=20, help_text="Files that may be sent a day.")
    upload_bytes = models.PositiveBigIntegerField(
        default=GIGABYTE, db_default=GIGABYTE, help_text="Bytes of uploads kept at once; 1000000000 are a gigabyte."
    )
    free_speech_seconds = models.PositiveIntegerField(
        default=60, db_default=60, help_text="Seconds of speech a day that may be heard without credits."
    )
    own_avatars = models.PositiveIntegerField(default=1, db_default=1, help_text="Own faces at once.")
    own_voices = models.PositiveIntegerField(default=1, db_default=1, help_text="Own voices at once.")

    class Meta:
        ordering = ["weight", "code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gt=0, max_in_flight__gt=0), name="tier_gives_something")
        ]

    def __str__(self) -> str:
        return self.name


class RenderRate(models.Model):
    """Price and cost of a second of finished video. Empty columns match all; the most specific newest row wins."""

    engine = models.CharField(max_length=20)
    avatar_kind = models.CharField(max_length=20, blank=True, default="", db_default="")
    resolution = models.CharField(max_length=10, blank=True, default="", db_default="")
    credits_per_second = models.DecimalField(max_digits=8, decimal_places=3)
    minimum_credits = models.PositiveIntegerField(default=1, db_default=1)
    provider_microdollars_per_second = models.PositiveIntegerField()
    valid_from = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ["engine", "avatar_kind", "resolution", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["engine", "avatar_kind", "resolution", "valid_from"], name="rate_unique"),
            models.CheckConstraint(condition=models.Q(credits_per_second__gt=0), name="rate_positive"),
        ]

    def __str__(self) -> str:
        parts = (self.engine, self.avatar_kind or "any", self.resolution or "any")
        return f"{' · '.join(parts)}: {self.credits_per_second} credits a second"


class FeeQuerySet(models.QuerySet["Fee"]):
    def in_force(self, at: datetime) -> "FeeQuerySet":
        """One row for each thing that has a fee at that moment."""
        begun = self.filter(valid_from__lte=at)
        newer = begun.filter(what=models.OuterRef("what"), valid_from__gt=models.OuterRef("valid_from"))
        return begun.exclude(models.Exists(newer.order_by()))


class Fee(models.Model):
    """Price and cost of what is sold by the piece or by the begun minute. The newest row in force holds."""

    what = models.CharField(max_length=20, choices=Sold.choices)
    credits = models.PositiveIntegerField(help_text="For one piece, or one begun minute.")
    unit = models.CharField(
        max_length=10, choices=FeeUnit.choices, default=FeeUnit.EACH, db_default=FeeUnit.EACH,
        help_text="Speech is sold by the minute, all else by the piece.",
    )  # fmt: skip
    provider_microdollars = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="What one costs us, in micro-dollars. Empty: unknown, and shown as unknown."
    )
    valid_from = models.DateTimeField(default=timezone.now, db_default=Now())

    objects = FeeQuerySet.as_manager()

    class Meta:
        ordering = ["what", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["what", "valid_from"], name="fee_unique"),
            models.CheckConstraint(
                condition=models.Q(what=Sold.SPEECH, unit=FeeUnit.MINUTE)
                | (~models.Q(what=Sold.SPEECH) & models.Q(unit=FeeUnit.EACH)),
                name="fee_unit",
                violation_error_message="Speech is sold by the minute, all else by the piece.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.credits} credits {self.get_unit_display().lower()}"
