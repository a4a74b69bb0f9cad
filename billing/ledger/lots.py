"""Lots of credits, taken soonest-expiring first. Whoever calls holds the wallet's lock."""

from uuid import UUID

from django.db.models import F

from billing.models import CreditLot, Wallet
from genvid.errors import Conflict


def consume(wallet_id: UUID, amount: int, *, payment_id: UUID | None = None) -> int:
    """Take up to `amount` from the lots, soonest-expiring first, or from one payment's alone. Returns what it got."""
    mine = {} if payment_id is None else {"payment": payment_id}
    if amount <= 0:
        return 0
    left = amount
    for lot in CreditLot.objects.filter(wallet=wallet_id, remaining__gt=0, **mine):
        taken = min(lot.remaining, left)
        CreditLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") - taken)
        left -= taken
        if left == 0:
            break
    return amount - left


def reserved_in(lot: CreditLot, wallet: Wallet) -> int:
    """What the open holds will take from this lot: they were placed before its date, and take the soonest first."""
    left = wallet.held
    for each in CreditLot.objects.filter(wallet=wallet, remaining__gt=0):
        if each.pk == lot.pk:
            break
        left -= each.remaining
    return min(lot.remaining, max(0, left))


def was_granted(account_id: UUID, reference: str) -> bool:
    """Whether the account has been granted this before. Raises Conflict when another account has."""
    owner = CreditLot.objects.filter(reference=reference).values_list("wallet_id", flat=True).first()
    if owner not in (None, account_id):
        raise Conflict(f"{reference} belongs to another account.")
    return owner is not None
