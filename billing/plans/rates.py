"""Prices from the rate table: credits for seconds of finished video."""

import math
from collections.abc import Callable
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from billing.models import RenderRate
from genvid.errors import ProviderUnavailable


def price(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Whole credits, rounded up. Raises ProviderUnavailable where no rate is set."""
    return pricer(engine=engine, avatar_kind=avatar_kind, resolution=resolution)(seconds)


def pricer(*, engine: str, avatar_kind: str, resolution: str) -> Callable[[Decimal | float], int]:
    """`price` for many lengths of one kind of video, with one query."""
    rate = rate_for(engine=engine, avatar_kind=avatar_kind, resolution=resolution)
    return lambda seconds: max(rate.minimum_credits, math.ceil(Decimal(str(seconds)) * rate.credits_per_second))


def provider_cost(*, engine: str, avatar_kind: str, resolution: str, seconds: Decimal | float) -> int:
    """Micro-dollars that HeyGen bills us for `seconds`."""
    rate = rate_for(engine=engine, avatar_kind=avatar_kind, resolution=resolution)
    return math.ceil(Decimal(str(seconds)) * rate.provider_microdollars_per_second)


def rate_for(*, engine: str, avatar_kind: str, resolution: str) -> RenderRate:
    rates = RenderRate.objects.filter(
        Q(avatar_kind="") | Q(avatar_kind=avatar_kind),
        Q(resolution="") | Q(resolution=resolution),
        engine=engine,
        valid_from__lte=timezone.now(),
    )
    best = max(rates, key=lambda rate: (rate.avatar_kind, rate.resolution, rate.valid_from), default=None)
    if best is None:
        raise ProviderUnavailable(f"No price is set for {engine}, {avatar_kind}, {resolution}.")
    return best
