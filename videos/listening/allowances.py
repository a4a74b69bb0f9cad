"""What a speech costs: an account's free seconds of the day, then a fee for each begun minute.

The free seconds of an account are counted under the lock of its row, so that requests at once share none of them.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from accounts.models import Account
from billing import credits
from genvid import database_clock
from genvid.errors import ProviderUnavailable
from videos.models import Speech
from videos.queue import estimates

FEE = "speech"
MINUTE = 60


@dataclass(frozen=True)
class Terms:
    """Free seconds that a speech takes, and the credits for the rest."""

    free_seconds: Decimal
    credits: int


@dataclass(frozen=True)
class Allowance:
    """What an account may hear today, a UTC day that ends at `resets_at`, and what a begun minute costs beyond that."""

    free_seconds: int
    free_seconds_left: Decimal
    resets_at: datetime
    credits_per_minute: int | None
    """None where no fee is set: then nothing can be heard beyond it."""


def lock_account(account_id: UUID) -> None:
    """Until the end of the transaction. Take it before the wallet's lock and before rows of the account's speeches."""
    Account.objects.select_for_update(no_key=True).only("pk").get(pk=account_id)


def longest_seconds(script: str, *, speed: float, language: str) -> Decimal:
    """The most that the script may speak for. `language`: the voice's."""
    return estimates.seconds_to_hold(script, speed=speed, language=language, factor=credits.USUAL_FACTOR)


def terms_of(account_id: UUID, seconds: Decimal, *, at: datetime, reserved: Decimal = Decimal()) -> Terms:
    """For a speech that was asked for `at` a moment, and has `reserved` free seconds already.

    Call it under `lock_account`. Raises ProviderUnavailable where no fee is set.
    """
    free = min(seconds, reserved + free_seconds_left(account_id, at))
    minutes = math.ceil((seconds - free) / MINUTE)
    return Terms(free, credits.fee(FEE).credits * minutes)


def free_seconds_left(account_id: UUID, at: datetime) -> Decimal:
    """Of the UTC day of `at`, without those that are set aside for speeches which are being made."""
    return max(Decimal(), _free_seconds_of_day(account_id) - _used_seconds(account_id, at))


def _free_seconds_of_day(account_id: UUID) -> int:
    return credits.limits_of(account_id).free_speech_seconds


def _used_seconds(account_id: UUID, at: datetime) -> Decimal:
    first, end = _day_of(at)
    today = Speech.objects.filter(account=account_id, is_test=False, created_at__gte=first, created_at__lt=end)
    used: Decimal | None = today.order_by().aggregate(seconds=Sum("free_seconds"))["seconds"]
    return used or Decimal()


def _day_of(at: datetime) -> tuple[datetime, datetime]:
    first = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return first, first + timedelta(days=1)


def allowance_of(account_id: UUID) -> Allowance:
    now = database_clock.now()
    try:
        price = credits.fee(FEE).credits
    except ProviderUnavailable:
        price = None
    whole = _free_seconds_of_day(account_id)
    left = max(Decimal(), whole - _used_seconds(account_id, now))
    return Allowance(whole, left, _day_of(now)[1], price)


def provider_microdollars(seconds: Decimal) -> int | None:
    """What HeyGen bills us; None: unknown."""
    for_minute = credits.fee(FEE).provider_microdollars
    return None if for_minute is None else math.ceil(for_minute * seconds / MINUTE)
