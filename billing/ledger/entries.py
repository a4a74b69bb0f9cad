"""The moves that everything about credits is made of. Used by this room's money modules alone."""

from uuid import UUID

from django.db.models import F

from billing.enums import EntryKind
from billing.models import LedgerEntry, Wallet


def lock(account_id: UUID) -> Wallet:
    """The wallet's row, locked until the transaction ends (SQLite holds its write lock from BEGIN)."""
    return Wallet.objects.select_for_update().get(pk=account_id)


def move(wallet_id: UUID, credits: int, kind: EntryKind, reference: str, description: str) -> None:
    """One entry and the balance it leads to. The caller holds the wallet's lock."""
    Wallet.objects.filter(pk=wallet_id).update(balance=F("balance") + credits)
    balance = Wallet.objects.values_list("balance", flat=True).get(pk=wallet_id)
    last = LedgerEntry.objects.filter(wallet=wallet_id).order_by("-sequence").values_list("sequence", flat=True).first()
    LedgerEntry.objects.create(
        wallet_id=wallet_id,
        sequence=(last or 0) + 1,
        kind=kind,
        credits=credits,
        balance_after=balance,
        reference=reference,
        description=description[:200],
    )


def entry_exists(reference: str, kind: EntryKind) -> bool:
    return LedgerEntry.objects.filter(reference=reference, kind=kind).exists()
