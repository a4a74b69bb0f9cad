"""Overruns: videos that cost more than their hold. The customer pays the hold, the rest is our loss.

A large overrun alarms staff and raises the account's next holds for 30 days.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from billing import mails
from billing.models import Hold, Wallet
from genvid import database_clock

ALARM_RATIO = Decimal("1.5")
"""An overrun is large above this cost divided by the hold."""
MAX_FACTOR = Decimal(2)
FACTOR_LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class Overrun:
    account_id: UUID
    reference: str
    held: int
    needed: int
    settled_at: datetime


def factor_of(wallet: Wallet) -> Decimal:
    is_recent = wallet.overrun_at is not None and database_clock.now() < wallet.overrun_at + FACTOR_LIFETIME
    return wallet.overrun_factor if is_recent else Decimal(1)


def record_overrun(hold: Hold, needed: int) -> None:
    """`needed`: the cost in credits. Call it in the transaction that captures the hold."""
    Hold.objects.filter(pk=hold.pk).update(needed=needed)
    if needed <= ALARM_RATIO * hold.amount:
        return
    now, wallet = database_clock.now(), Wallet.objects.get(pk=hold.wallet_id)
    # The hold had been multiplied by its own factor.
    enough = hold.overrun_factor * needed / max(1, hold.amount)
    learned = min(MAX_FACTOR, max(factor_of(wallet), enough)).quantize(Decimal("0.01"), ROUND_CEILING)
    Wallet.objects.filter(pk=wallet.pk).update(overrun_factor=learned, overrun_at=now)
    _alarm_staff(hold, needed, learned, now)


def large_overruns(since: datetime, until: datetime) -> list[Overrun]:
    holds = Hold.objects.filter(needed__gt=F("amount") * ALARM_RATIO, settled_at__gte=since, settled_at__lt=until)
    columns = ("wallet_id", "reference", "amount", "needed", "settled_at")
    rows: Iterable[tuple[Any, ...]] = holds.order_by("settled_at", "id").values_list(*columns)
    return [Overrun(*row) for row in rows]


def _alarm_staff(hold: Hold, needed: int, learned: Decimal, now: datetime) -> None:
    # The reference limits it to one mail per account and day.
    text = (
        f"{hold.reference} of account {hold.wallet_id} needed {needed} credits; {hold.amount} were held and charged, "
        f"and the rest is our loss. Its script speaks longer than was estimated: mend the estimate for its kind.\n\n"
        f"For {FACTOR_LIFETIME.days} days this account's holds are {learned} times the usual. All of today's: "
        f"`manage.py margin_report --from {now:%Y-%m-%d} --to {now:%Y-%m-%d}`, or "
        f"{settings.PUBLIC_URL}/admin/billing/hold/?needed__isempty=0"
    )
    mails.alarm_staff(f"overrun:{hold.wallet_id}:{now:%Y-%m-%d}", text)
