"""Lots of credits, consumed soonest-expiring first. Callers hold the wallet's lock."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from billing.models import CreditLot, Wallet
from genvid.errors import Conflict

# In the order of `CreditLot.Meta.ordering`.
CONSUME_FIRST = """
UPDATE billing_creditlot SET remaining = remaining - %s
WHERE id = (
    SELECT id FROM billing_creditlot WHERE wallet_id = %s AND remaining > 0
    ORDER BY expires_at ASC NULLS LAST, created_at, id LIMIT 1
) AND remaining >= %s
"""


def consume(wallet_id: UUID, amount: int, *, payment_id: UUID | None = None) -> int:
    """Takes up to `amount`, from the lots of one payment if given. Returns the credits taken."""
    mine = {} if payment_id is None else {"payment": payment_id}
    if amount <= 0:
        return 0
    # One lot nearly always covers it.
    if payment_id is None and _consume_first(wallet_id, amount):
        return amount
    left = amount
    for lot in CreditLot.objects.filter(wallet=wallet_id, remaining__gt=0, **mine):
        taken = min(lot.remaining, left)
        CreditLot.objects.filter(pk=lot.pk).update(remaining=F("remaining") - taken)
        left -= taken
        if left == 0:
            break
    return amount - left


def _consume_first(wallet_id: UUID, amount: int) -> bool:
    """False where the lot that expires first has less."""
    wallet = CreditLot._meta.get_field("wallet").get_db_prep_value(wallet_id, connection)
    with transaction.mark_for_rollback_on_error(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(CONSUME_FIRST, [amount, wallet, amount])
        return bool(cursor.rowcount == 1)


def reserved_in(lot: CreditLot, wallet: Wallet) -> int:
    # Holds will consume the soonest-expiring lots first.
    left = wallet.held
    for each in CreditLot.objects.filter(wallet=wallet, remaining__gt=0):
        if each.pk == lot.pk:
            break
        left -= each.remaining
    return min(lot.remaining, max(0, left))


def was_granted(account_id: UUID, reference: str) -> bool:
    """Raises Conflict when the reference was granted to another account."""
    owner = CreditLot.objects.filter(reference=reference).values_list("wallet_id", flat=True).first()
    if owner not in (None, account_id):
        raise Conflict(f"{reference} belongs to another account.")
    return owner is not None
