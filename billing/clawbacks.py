"""Credits whose money went back. The one place that may leave a wallet owing."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from billing import lots
from billing.enums import EntryKind, LotSource
from billing.ledger import lock, move
from billing.models import CreditLot, Payment

RETURNED_FOR = timedelta(days=30)
"""How long returned credits last at least: those they stand for may have had their day meanwhile."""


@transaction.atomic
def settle(payment_id: UUID, *, cause: str) -> int:
    """Bring the credits that a payment bought in line with how much of its money we still have.

    Cumulative: it asks what should have been taken back by now, and moves the difference, whatever came first. Returns
    the credits moved, negative when taken. `cause`: the refund, dispute or charge that is told of in the ledger.
    """
    account_id = Payment.objects.values_list("account_id", flat=True).get(pk=payment_id)
    lock(account_id)
    payment = Payment.objects.get(pk=payment_id)
    short = _owed(payment) - payment.credits_taken_back - payment.credits_forgiven
    taken, forgiven = _split(payment, short)
    if taken == forgiven == 0:
        return 0
    Payment.objects.filter(pk=payment_id).update(
        credits_taken_back=F("credits_taken_back") + taken,
        credits_forgiven=F("credits_forgiven") + forgiven,
        corrections=F("corrections") + 1,
    )
    reference = f"{cause}:{payment.corrections + 1}"
    if taken > 0:
        _take(payment, taken, reference)
    elif taken < 0:
        _return(payment, -taken, reference)
    return -taken


def _owed(payment: Payment) -> int:
    """Credits for the part of the money that is gone, rounded up: a cent kept back keeps no credit."""
    if payment.amount == 0:
        return payment.credits_unused
    granted = payment.lots.exclude(source=LotSource.RETURNED).aggregate(total=Sum("granted"))["total"] or 0
    return payment.credits_unused - (-granted * payment.amount_lost // payment.amount)


def _split(payment: Payment, short: int) -> tuple[int, int]:
    """What to take, and what to let go because it has expired unused: nobody loses the same credits twice."""
    if short < 0:
        returned = min(-short, payment.credits_taken_back)
        return -returned, short + returned
    expired = payment.lots.aggregate(total=Sum("expired"))["total"] or 0
    forgiven = min(short, max(0, expired - payment.credits_forgiven))
    return short - forgiven, forgiven


def _take(payment: Payment, amount: int, reference: str) -> None:
    """First what is left of what the payment bought, then whatever there is; the rest is owed."""
    left = amount - lots.consume(payment.account_id, amount, payment_id=payment.pk)
    lots.consume(payment.account_id, left)
    why = "Money back" if payment.amount_lost else "Time not used"
    move(payment.account_id, -amount, EntryKind.CLAWBACK, reference, f"{why}: {payment.description}")


def _return(payment: Payment, amount: int, reference: str) -> None:
    """As a lot of its own, with the date of those that the payment bought."""
    wallet = lock(payment.account_id)
    CreditLot.objects.create(
        wallet=wallet,
        source=LotSource.RETURNED,
        reference=f"returned:{reference}",
        payment=payment,
        granted=amount,
        remaining=max(0, amount - max(0, -wallet.balance)),
        expires_at=_date_of(payment),
    )
    move(payment.account_id, amount, EntryKind.CLAWBACK, reference, f"Returned: {payment.description}")


def _date_of(payment: Payment) -> datetime | None:
    bought = payment.lots.exclude(source=LotSource.RETURNED)
    found = list(bought.values_list("expires_at", flat=True))
    dates = [date for date in found if date is not None]
    if len(dates) < len(found):
        return None
    return max([*dates, timezone.now() + RETURNED_FOR])
