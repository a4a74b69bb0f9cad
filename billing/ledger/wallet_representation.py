"""The API's representation of a wallet, in answers and webhooks."""

from typing import Any
from uuid import UUID

from billing.models import CreditLot, Wallet
from genvid.compiled_queries import CompiledQuery

_WALLET = CompiledQuery(lambda account_id: Wallet.objects.filter(pk=account_id).values_list("balance", "held"))
_EXPIRING_LOTS = CompiledQuery(
    lambda account_id: CreditLot.objects.filter(
        wallet=account_id, remaining__gt=0, expires_at__isnull=False
    ).values_list("remaining", "expires_at")
)


def wallet_data(account_id: UUID) -> dict[str, Any]:
    wallet = _WALLET.rows(account_id=account_id)
    if not wallet:
        raise Wallet.DoesNotExist
    ((balance, held),) = wallet
    lots = _EXPIRING_LOTS.rows(account_id=account_id)
    return {
        "balance": balance,
        "held": held,
        "available": balance - held,
        "expiring": [{"credits": remaining, "expires_at": expires_at} for remaining, expires_at in lots],
    }
