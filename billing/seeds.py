"""The prices a new installation starts with. Staff change them by adding newer rows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.models import RenderRate

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
