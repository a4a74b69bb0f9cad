"""The wallet and its ledger, as their owner sees them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from billing.models import CreditLot, LedgerEntry, Wallet
from billing.serializers import LedgerEntryOutput, WalletOutput
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404

SCOPES = {"GET": Scope.BILLING_READ}
LEDGER_FIELDS = ("id", "kind", "credits", "balance_after", "reference", "description", "created_at")


class WalletView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=WalletOutput, operation_id="get_wallet")
    def get(self, request: Request) -> Response:
        wallet = one_or_404(Wallet.objects.all(), pk=caller_of(request).account_id)
        lots = CreditLot.objects.filter(wallet=wallet, remaining__gt=0, expires_at__isnull=False)
        expiring = [{"credits": lot.remaining, "expires_at": lot.expires_at} for lot in lots]
        return Response(
            {
                "balance": wallet.balance,
                "held": wallet.held,
                "available": wallet.available,
                "expiring": expiring,
            }
        )


class LedgerView(KeysetListView):
    scopes = SCOPES

    @extend_schema(responses=LedgerEntryOutput(many=True), operation_id="list_ledger", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(LedgerEntry.objects.filter(wallet=caller_of(request).account_id))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [{name: getattr(row, name) for name in LEDGER_FIELDS} for row in rows]
