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
from videos.models import Speech
from videos.queue import estimates

FEE = "speech"
MINUTE = 60


@dataclass(frozen=True)
class Terms:
    """Free seconds that a speech takes, and the credits for the rest."""

    free_seconds: Decimal
    credits: int


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
    """Of the UTC day of `at`."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    limit = Decimal(credits.limits_of(account_id).free_speech_seconds)
    of_day = {"created_at__gte": day, "created_at__lt": day + timedelta(days=1)}
    today = Speech.objects.filter(account=account_id, is_test=False, **of_day)
    used = today.order_by().aggregate(seconds=Sum("free_seconds"))["seconds"] or Decimal()
    return max(Decimal(), limit - used)


def provider_microdollars(seconds: Decimal) -> int | None:
    """What HeyGen bills us; None: unknown."""
    for_minute = credits.fee(FEE).provider_microdollars
    return None if for_minute is None else math.ceil(for_minute * seconds / MINUTE)
