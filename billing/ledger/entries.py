"""Wallet lock, ledger entries and balance. Called within billing only."""

from uuid import UUID

from django.db.models import F

from billing.enums import EntryKind
from billing.models import LedgerEntry, Wallet


def lock_wallet(account_id: UUID) -> Wallet:
    return Wallet.objects.select_for_update().get(pk=account_id)


def record_entry(wallet_id: UUID, credits: int, kind: EntryKind, reference: str, description: str) -> None:
    """The caller holds the wallet's lock."""
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
