"""The API's representation of a wallet, in answers and webhooks."""

from typing import Any
from uuid import UUID

from billing.models import CreditLot, Wallet


def wallet_data(account_id: UUID) -> dict[str, Any]:
    wallet = Wallet.objects.get(pk=account_id)
    lots = CreditLot.objects.filter(wallet=wallet, remaining__gt=0, expires_at__isnull=False)
    return {
        "balance": wallet.balance,
        "held": wallet.held,
        "available": wallet.available,
        "expiring": [{"credits": lot.remaining, "expires_at": lot.expires_at} for lot in lots],
    }
