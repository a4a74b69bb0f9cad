"""The prices a new installation starts with. Staff change them by adding newer rows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import RenderRate, Tier

# HeyGen's pay-as-you-go prices of mid-2026, in micro-dollars a second; one credit is one second at the base rate.
RATES = [
    ("avatar_iv", "", "1.000", 66_700),
    ("avatar_iv", "photo_avatar", "1.000", 50_000),
    ("avatar_v", "", "1.000", 66_700),
    ("avatar_iii", "", "0.500", 16_700),
    ("avatar_iii", "photo_avatar", "0.750", 43_300),
]
VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)


def seed_rates(**_: Any) -> None:
    """After each `migrate`: fill an empty rate table, leave any other alone."""
    if RenderRate.objects.exists():
        return
    RenderRate.objects.bulk_create(
        RenderRate(
            engine=engine,
            avatar_kind=kind,
            credits_per_second=Decimal(credits),
            provider_microdollars_per_second=cost,
            valid_from=VALID_FROM,
        )
        for engine, kind, credits, cost in RATES
    )


TIERS = [
    Tier(code="free", name="Free", weight=1, max_in_flight=5, retention_days=30, requests_per_minute=120),
    Tier(code="starter", name="Starter", weight=1, max_in_flight=5, retention_days=90, requests_per_minute=300),
    Tier(code="pro", name="Pro", weight=2, max_in_flight=8, retention_days=365, requests_per_minute=600),
    Tier(code="business", name="Business", weight=4, max_in_flight=10, retention_days=None, requests_per_minute=1200),
]


def seed_tiers(**_: Any) -> None:
    """After each `migrate`: the tiers that an installation starts with; what staff have changed stays."""
    Tier.objects.bulk_create(TIERS, ignore_conflicts=True)
