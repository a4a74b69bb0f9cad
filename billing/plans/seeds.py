"""Rates, fees, tiers and plans of a new installation, seeded after `migrate`. Existing rows stay as staff left them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.enums import FeeUnit, Interval, PlanKind, Sold
from billing.models import Fee, Plan, RenderRate, Tier
from billing.models.rates import GIGABYTE

# HeyGen's pay-as-you-go prices of mid-2026, in micro-dollars a second; one credit is one second at the base rate.
RATES = [
    ("avatar_iv", "", "1.000", 66_700),
    ("avatar_iv", "photo_avatar", "1.000", 50_000),
    ("avatar_v", "", "1.000", 66_700),
    ("avatar_iii", "", "0.500", 16_700),
    ("avatar_iii", "photo_avatar", "0.750", 43_300),
]
VALID_FROM = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seed_rates(**_: Any) -> None:
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


# HeyGen's prices of mid-2026, in micro-dollars; what a cloned voice costs is not known.
FEES = [
    (Sold.PHOTO_AVATAR, 20, FeeUnit.EACH, 1_000_000),
    (Sold.DIGITAL_TWIN, 30, FeeUnit.EACH, 1_000_000),
    (Sold.VOICE_CLONE, 10, FeeUnit.EACH, None),
    (Sold.SPEECH, 1, FeeUnit.MINUTE, 40_000),
]


def seed_fees(**_: Any) -> None:
    """What has a fee already keeps it; what a release adds gets one."""
    known = set(Fee.objects.values_list("what", flat=True))
    # Lists show the newest first, so the first fee gets the latest time.
    Fee.objects.bulk_create(
        Fee(
            what=what, credits=credits, unit=unit, provider_microdollars=cost, valid_from=VALID_FROM - position * MINUTE
        )
        for position, (what, credits, unit, cost) in enumerate(FEES)
        if what not in known
    )


TIERS = [
    Tier(
        code="free", name="Free", weight=1, max_in_flight=5, retention_days=30, requests_per_minute=120,
        uploads_per_day=20, upload_bytes=1 * GIGABYTE, free_speech_seconds=60, own_avatars=1, own_voices=1,
    ),
    Tier(
        code="starter", name="Starter", weight=1, max_in_flight=5, retention_days=90, requests_per_minute=300,
        uploads_per_day=200, upload_bytes=10 * GIGABYTE, free_speech_seconds=600, own_avatars=3, own_voices=3,
    ),
    Tier(
        code="pro", name="Pro", weight=2, max_in_flight=8, retention_days=365, requests_per_minute=600,
        uploads_per_day=500, upload_bytes=25 * GIGABYTE, free_speech_seconds=1_800, own_avatars=10, own_voices=10,
    ),
    Tier(
        code="business", name="Business", weight=4, max_in_flight=10, retention_days=None, requests_per_minute=1_200,
        uploads_per_day=1_000, upload_bytes=50 * GIGABYTE, free_speech_seconds=3_600, own_avatars=50, own_voices=50,
    ),
]  # fmt: skip


def seed_tiers(**_: Any) -> None:
    Tier.objects.bulk_create(TIERS, ignore_conflicts=True)


MONTH, YEAR = Interval.MONTH, Interval.YEAR
SUBSCRIPTIONS = [
    (
        "starter",
        "Starter",
        1_900,
        170,
        ["170 credits a month", "3 own faces and 3 own voices", "Files kept for 90 days"],
    ),
    (
        "pro",
        "Pro",
        4_900,
        480,
        ["480 credits a month", "Twice the render slots", "10 own faces and 10 own voices", "Files kept for a year"],
    ),
    (
        "business",
        "Business",
        9_900,
        1_050,
        [
            "1,050 credits a month",
            "Four times the render slots",
            "50 own faces and 50 own voices",
            "Files kept for good",
        ],
    ),
]
PACKS = [(100, 1_200), (500, 5_500), (2_000, 20_000)]
YEAR_COSTS_MONTHS = 10


def seed_plans(**_: Any) -> None:
    if Plan.objects.exists():
        return
    plans = [*_subscriptions(MONTH), *_subscriptions(YEAR), *_packs()]
    for position, plan in enumerate(plans):
        # Lists show the newest first, so the first plan gets the latest time.
        plan.position, plan.created_at = position, VALID_FROM - position * MINUTE
    Plan.objects.bulk_create(plans)


def _subscriptions(interval: Interval) -> list[Plan]:
    times, suffix = (1, "") if interval == MONTH else (YEAR_COSTS_MONTHS, ", yearly")
    return [
        Plan(
            code=f"{tier}-{interval}",
            name=f"{name}{suffix}",
            kind=PlanKind.SUBSCRIPTION,
            interval=interval,
            amount=amount * times,
            credits=credits,
            tier_id=tier,
            features=features,
        )
        for tier, name, amount, credits, features in SUBSCRIPTIONS
    ]


def _packs() -> list[Plan]:
    return [
        Plan(
            code=f"pack-{credits}",
            name=f"{credits:,} credits",
            kind=PlanKind.PACK,
            amount=amount,
            credits=credits,
            features=["Good for 12 months"],
        )
        for credits, amount in PACKS
    ]
