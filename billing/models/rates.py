"""Render rates and the limits of tiers."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


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
