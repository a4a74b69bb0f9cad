"""Prices from the rate table: credits for seconds of finished video.

A process remembers the table for REMEMBERED_SECONDS; a rate begins to hold exactly at its `valid_from`.
"""

import math
from collections.abc import Callable
from decimal import Decimal

from django.db.models.signals import post_delete, post_save

from billing.models import RenderRate
from genvid import database_clock
from genvid.errors import ProviderUnavailable
from genvid.process_cache import Remembered

REMEMBERED_SECONDS = 5.0


def price(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Whole credits, rounded up. Raises ProviderUnavailable where no rate is set."""
    return pricer(engine=engine, avatar_kind=avatar_kind, resolution=resolution)(seconds)


def pricer(*, engine: str, avatar_kind: str, resolution: str) -> Callable[[Decimal | float], int]:
    """`price` for many lengths of one kind of video."""
    rate = rate_for(engine=engine, avatar_kind=avatar_kind, resolution=resolution)
    return lambda seconds: max(rate.minimum_credits, math.ceil(Decimal(str(seconds)) * rate.credits_per_second))


def provider_cost(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Micro-dollars that HeyGen bills us for `seconds`."""
    rate = rate_for(engine=engine, avatar_kind=avatar_kind, resolution=resolution)
    return math.ceil(Decimal(str(seconds)) * rate.provider_microdollars_per_second)


def rate_for(*, engine: str, avatar_kind: str, resolution: str) -> RenderRate:
    now = database_clock.now()
    rates = (
        rate
        for rate in _all_rates()
        if rate.engine == engine
        and rate.avatar_kind in ("", avatar_kind)
        and rate.resolution in ("", resolution)
        and rate.valid_from <= now
    )
    best = max(rates, key=lambda rate: (rate.avatar_kind, rate.resolution, rate.valid_from), default=None)
    if best is None:
        # Staff may be setting it in another process.
        _all_rates.forget()
        raise ProviderUnavailable(f"No price is set for {engine}, {avatar_kind}, {resolution}.")
    return best


def _read_rates() -> list[RenderRate]:
    return list(RenderRate.objects.all())


_all_rates = Remembered(_read_rates, REMEMBERED_SECONDS)
post_save.connect(_all_rates.forget, sender=RenderRate)
post_delete.connect(_all_rates.forget, sender=RenderRate)
