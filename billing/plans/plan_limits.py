"""What an account's plan entitles it to, beside its credits."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from uuid import UUID

from billing.models import Tier, Wallet
from genvid import cache

FREE = "free"
TIER_CACHE_SECONDS = 15


@dataclass(frozen=True)
class PlanLimits:
    """What an account's plan entitles it to."""

    weight: int
    """Its share of scarce render slots, beside the others'."""
    max_in_flight: int
    """Videos that may render at once."""
    retention_days: int | None
    """How long finished files are kept; None is for ever."""
    requests_per_minute: int
    """Of one person, or of one API key."""


def plan_limits_of(account_ids: Iterable[UUID]) -> dict[UUID, PlanLimits]:
    """What each account is entitled to. One query, whatever their number; a change by staff shows within seconds."""
    tiers = cache.remembered("billing.tiers", _tiers, TIER_CACHE_SECONDS)
    chosen = dict(Wallet.objects.filter(pk__in=account_ids).values_list("pk", "tier_id"))
    if not tiers.keys() >= {tier_id or FREE for tier_id in chosen.values()}:
        # One is so new that nobody remembers it yet.
        tiers = _tiers()
    return {account_id: tiers[tier_id or FREE] for account_id, tier_id in chosen.items()}


def tier_of(account_id: UUID) -> str:
    """The code of the account's tier."""
    return Wallet.objects.values_list("tier_id", flat=True).get(pk=account_id) or FREE


def requests_per_minute(account_id: UUID) -> int:
    return plan_limits_of([account_id])[account_id].requests_per_minute


def _tiers() -> dict[str, PlanLimits]:
    names = [field.name for field in fields(PlanLimits)]
    return {tier.pk: PlanLimits(**{name: getattr(tier, name) for name in names}) for tier in Tier.objects.all()}
