"""Limits of an account's plan."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from billing.models import Tier, Wallet
from genvid.compiled_queries import CompiledQuery
from genvid.process_cache import Remembered

FREE = "free"
TIER_CACHE_SECONDS = 5.0
PLAN_OF_ACCOUNT = "SELECT wallet.tier_id FROM billing_wallet wallet WHERE wallet.account_id = %s"
"""For a statement that reads other things of the account, too; `limits_of_plan` takes what it finds."""


@dataclass(frozen=True)
class PlanLimits:
    weight: int
    """Share of scarce render slots, relative to other accounts."""
    max_in_flight: int
    retention_days: int | None
    """None: files are kept for ever."""
    requests_per_minute: int
    """Per person, or per API key."""
    uploads_per_day: int
    upload_bytes: int
    """Of uploads kept at once."""
    free_speech_seconds: int
    """A day."""
    own_avatars: int
    own_voices: int


def plan_limits_of(account_ids: Iterable[UUID]) -> dict[UUID, PlanLimits]:
    """The limits of each account. One query; a change by staff takes effect within TIER_CACHE_SECONDS.

    A queryset of ids is looked up by the database, much faster than thousands of ids.
    """
    chosen = dict(Wallet.objects.filter(pk__in=account_ids).values_list("pk", "tier_id"))
    tiers = _tiers_with({tier_id or FREE for tier_id in chosen.values()})
    return {account_id: tiers[tier_id or FREE] for account_id, tier_id in chosen.items()}


def limits_of_plan(tier_id: str | None) -> PlanLimits:
    return _tiers_with({tier_id or FREE})[tier_id or FREE]


def tier_of(account_id: UUID) -> str:
    return Wallet.objects.values_list("tier_id", flat=True).get(pk=account_id) or FREE


def requests_per_minute(account_id: UUID) -> int:
    """Raises LookupError for an account without a wallet."""
    return limits_of(account_id).requests_per_minute


def limits_of(account_id: UUID) -> PlanLimits:
    """As `plan_limits_of`. Raises LookupError for an account without a wallet."""
    return limits_of_plan(_chosen.rows(account_id=account_id)[0][0])


def _chosen_tier(account_id: UUID) -> QuerySet[Wallet, Any]:
    return Wallet.objects.filter(pk=account_id).values_list("tier_id")


_chosen = CompiledQuery(_chosen_tier)


def _tiers_with(needed: set[str]) -> dict[str, PlanLimits]:
    tiers = _tiers()
    # A tier may be newer than the memory.
    return tiers if tiers.keys() >= needed else _read_tiers()


def _read_tiers() -> dict[str, PlanLimits]:
    names = [field.name for field in fields(PlanLimits)]
    return {tier.pk: PlanLimits(**{name: getattr(tier, name) for name in names}) for tier in Tier.objects.all()}


_tiers = Remembered(_read_tiers, TIER_CACHE_SECONDS)
