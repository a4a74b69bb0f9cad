"""What is left in the wallet at HeyGen, over time, and how many days it lasts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import structlog
from django.conf import settings

from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError
from genvid.heygen.heygen_types import ProviderAccount
from genvid.leasing import from_now
from videos import operator_alarms
from videos.models import ProviderBalance

logger = structlog.get_logger(__name__)
RETENTION = timedelta(days=90)
SPENDING_PERIOD = timedelta(days=7)
MIN_PERIOD = timedelta(hours=6)
"""Of less nothing is foretold."""
MIN_PAUSE = timedelta(minutes=1)
"""While the gate is closed the balance is read twice a minute; an unchanged one is not kept again so soon."""


def read_balance() -> None:
    if settings.HEYGEN_API_KEY == "":
        return
    try:
        account = get_client().get_account()
    except HeyGenError as error:
        logger.warning("provider_balance_not_read", error=str(error))
        return
    record(account)
    ProviderBalance.objects.filter(read_at__lt=from_now(-RETENTION)).delete()


def record(account: ProviderAccount) -> None:
    """Keep the balance, and alarm staff when it lasts for a few days only. Nothing where HeyGen names none."""
    if account.remaining is None:
        return
    given = {"remaining": account.remaining, "currency": account.currency[:20]}
    if ProviderBalance.objects.filter(**given, read_at__gt=from_now(-MIN_PAUSE)).exists():
        return
    ProviderBalance.objects.create(read_at=from_now(), **given)
    days = days_left(recent_balances())
    if days is not None and days < settings.HEYGEN_BALANCE_ALARM_DAYS:
        text = (
            f"The wallet at HeyGen holds {account.remaining:f} {account.currency}: {days:.1f} days by the spending of "
            "the last days. Top it up. When it is empty, videos wait, uncharged."
        )
        operator_alarms.raise_alarm("provider_balance_low", "", text)


def recent_balances() -> list[ProviderBalance]:
    """Of the last days and of the present currency, oldest first."""
    rows = list(ProviderBalance.objects.filter(read_at__gt=from_now(-SPENDING_PERIOD)).order_by("read_at", "id"))
    return [row for row in rows if row.currency == rows[-1].currency]


def days_left(balances: Sequence[ProviderBalance]) -> float | None:
    """By what was spent between them; what was paid in does not count. None where that cannot be said."""
    if not balances:
        return None
    period = balances[-1].read_at - balances[0].read_at
    spent = _spent([(row.read_at, row.remaining) for row in balances])
    if period < MIN_PERIOD or spent <= 0:
        return None
    return float(max(balances[-1].remaining, Decimal(0)) / spent) * (period / timedelta(days=1))


def _spent(balances: Sequence[tuple[datetime, Decimal]]) -> Decimal:
    return sum((max(before - after, Decimal(0)) for (_, before), (_, after) in pairwise(balances)), Decimal(0))
