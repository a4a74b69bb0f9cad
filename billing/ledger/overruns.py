"""Videos that cost more than their hold.

The customer pays the hold, the rest is our loss. It is stored on the hold for the margin report; a large one alarms
staff and raises the account's next holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from billing import mails
from billing.models import Hold, Wallet

ALARMING = Decimal("1.5")
"""Cost divided by hold from which an overrun is a defect that staff must see."""
HIGHEST_FACTOR = Decimal(2)
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class Overrun:
    """`held` and `needed` are credits."""

    account_id: UUID
    reference: str
    held: int
    needed: int
    settled_at: datetime


def factor_of(wallet: Wallet) -> Decimal:
    """The factor of the account's holds, 1 to 2: above 1 for 30 days after a large overrun."""
    is_recent = wallet.overrun_at is not None and timezone.now() < wallet.overrun_at + REMEMBERED
    return wallet.overrun_factor if is_recent else Decimal(1)


def record_overrun(hold: Hold, needed: int) -> None:
    """The cost was `needed` credits, more than the hold. Call it in the transaction that captures the hold."""
    Hold.objects.filter(pk=hold.pk).update(needed=needed)
    if needed <= ALARMING * hold.amount:
        return
    now, wallet = timezone.now(), Wallet.objects.get(pk=hold.wallet_id)
    # The hold's own factor counts: what was held had been multiplied by it.
    enough = hold.overrun_factor * needed / max(1, hold.amount)
    learned = min(HIGHEST_FACTOR, max(factor_of(wallet), enough)).quantize(Decimal("0.01"), ROUND_CEILING)
    Wallet.objects.filter(pk=wallet.pk).update(overrun_factor=learned, overrun_at=now)
    _alarm(hold, needed, learned, now)


def between(since: datetime, until: datetime) -> list[Overrun]:
    """The large overruns of that time, oldest first. One query."""
    holds = Hold.objects.filter(needed__gt=F("amount") * ALARMING, settled_at__gte=since, settled_at__lt=until)
    columns = ("wallet_id", "reference", "amount", "needed", "settled_at")
    rows: Iterable[tuple[Any, ...]] = holds.order_by("settled_at", "id").values_list(*columns)
    return [Overrun(*row) for row in rows]


def _alarm(hold: Hold, needed: int, learned: Decimal, now: datetime) -> None:
    """One mail per account and day."""
    text = (
        f"{hold.reference} of account {hold.wallet_id} needed {needed} credits; {hold.amount} were held and charged, "
        f"and the rest is our loss. Its script speaks longer than was estimated: mend the estimate for its kind.\n\n"
        f"For {REMEMBERED.days} days this account's holds are {learned} times the usual. All of today's: "
        f"`manage.py margin_report --from {now:%Y-%m-%d} --to {now:%Y-%m-%d}`, or "
        f"{settings.PUBLIC_URL}/admin/billing/hold/?needed__isempty=0"
    )
    mails.alarm_staff(f"overrun:{hold.wallet_id}:{now:%Y-%m-%d}", text)
