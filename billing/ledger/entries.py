"""Wallet lock, ledger entries and balance. Called within billing only."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from billing.enums import EntryKind
from billing.models import LedgerEntry, Wallet
from genvid.statements import update_returning

COLUMNS = [field for field in LedgerEntry._meta.concrete_fields if field.name != "sequence"]
APPEND = """
INSERT INTO billing_ledgerentry ({names}, sequence)
SELECT {marks}, COALESCE(MAX(sequence), 0) + 1 FROM billing_ledgerentry WHERE wallet_id = %s
""".format(names=", ".join(str(field.column) for field in COLUMNS), marks=", ".join(["%s"] * len(COLUMNS)))


def lock_wallet(account_id: UUID) -> Wallet:
    return Wallet.objects.select_for_update().get(pk=account_id)


def record_entry(wallet_id: UUID, credits: int, kind: EntryKind, reference: str, description: str) -> None:
    """The caller holds the wallet's lock."""
    mine = Wallet.objects.filter(pk=wallet_id)
    [wallet] = update_returning(mine, {"balance": F("balance") + credits}, read=["balance"])
    append_entry(wallet_id, credits, kind, reference, description, balance_after=wallet.balance)


def append_entry(
    wallet_id: UUID, credits: int, kind: EntryKind, reference: str, description: str, *, balance_after: int
) -> None:
    """The caller holds the wallet's lock, and has moved the balance."""
    entry = LedgerEntry(
        wallet_id=wallet_id,
        kind=kind,
        credits=credits,
        balance_after=balance_after,
        reference=reference,
        description=description[:200],
    )
    values = [field.get_db_prep_save(getattr(entry, field.attname), connection) for field in COLUMNS]
    mine = LedgerEntry._meta.get_field("wallet").get_db_prep_save(wallet_id, connection)
    with transaction.mark_for_rollback_on_error(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(APPEND, [*values, mine])


def entry_exists(reference: str, kind: EntryKind) -> bool:
    return LedgerEntry.objects.filter(reference=reference, kind=kind).exists()
