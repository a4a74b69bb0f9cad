"""Viewsets of the wallet and its ledger."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.viewsets import AccountViewSet
from billing.ledger import wallet_representation
from billing.models import LedgerEntry
from billing.serializers.wallets import LedgerEntryOutput, WalletOutput
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin


class WalletViewSet(AccountViewSet):
    tag = "Billing and usage"
    endpoints = {
        "retrieve": Endpoint(
            "get_wallet", scope=Scope.BILLING_READ, response=WalletOutput, errors=("not_found",), etag=True
        ),
    }

    def retrieve(self, request: Request) -> Response:
        """Show the wallet."""
        return Response(wallet_representation.wallet_data(self.caller.account_id))


class LedgerViewSet(ListMixin, AccountViewSet):
    tag = "Billing and usage"
    queryset = LedgerEntry.objects.all()
    owned_by: ClassVar[Mapping[str, str]] = {"wallet": "account_id"}
    representation = staticmethod(LedgerEntryOutput.of)
    endpoints = {
        "list": Endpoint(
            "list_ledger",
            "List every movement of credits",
            scope=Scope.BILLING_READ,
            response=LedgerEntryOutput,
            many=True,
            etag=True,
        ),
    }
