"""The wallet and its ledger, as their owner sees them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from billing import wallets
from billing.models import LedgerEntry
from billing.serializers.wallets import LedgerEntryOutput, WalletOutput
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.views import KeysetListView, StrictAPIView

SCOPES = {"GET": Scope.BILLING_READ}
LEDGER_FIELDS = ("id", "kind", "credits", "balance_after", "reference", "description", "created_at")


class WalletView(StrictAPIView):
    scopes = SCOPES

    @extend_schema(responses=WalletOutput, operation_id="get_wallet")
    def get(self, request: Request) -> Response:
        return Response(wallets.shown(caller_of(request).account_id))


class LedgerView(KeysetListView):
    scopes = SCOPES

    @extend_schema(responses=LedgerEntryOutput(many=True), operation_id="list_ledger", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(LedgerEntry.objects.filter(wallet=caller_of(request).account_id))

    def represent(self, rows: list[Any]) -> list[Any]:
        return [{name: getattr(row, name) for name in LEDGER_FIELDS} for row in rows]
