"""The accounts of a person, and the account of their session."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import Caller
from accounts.enums import Scope
from accounts.models import Membership
from accounts.serializers.teams import AccountInput, AccountOutput, account_data
from accounts.teams import members
from accounts.views.current import current_membership
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint
from genvid.api.viewsets import ListMixin


def current_account_data(caller: Caller) -> dict[str, Any]:
    mine = current_membership(caller)
    return account_data(mine.account, mine.role, caller)


class MembershipViewSet(ListMixin, AccountViewSet):
    tag = "Profile and team"
    queryset = Membership.objects.select_related("account")
    owned_by: ClassVar[Mapping[str, str]] = {"user": "user_id"}
    endpoints = {
        "list": Endpoint(
            "list_accounts",
            "List your accounts",
            scope=Scope.SELF,
            response=AccountOutput,
            many=True,
            description="Those that the caller belongs to, the one joined last first.",
        ),
    }

    def represent(self, rows: Sequence[Any]) -> list[Any]:
        return [account_data(membership.account, membership.role, self.caller) for membership in rows]


class CurrentAccountViewSet(AccountViewSet):
    tag = "Profile and team"
    endpoints = {
        "partial_update": Endpoint(
            "rename_account", scope=Scope.TEAM_MANAGE, request=AccountInput, response=AccountOutput
        ),
    }

    def partial_update(self, request: Request) -> Response:
        """Rename the account."""
        members.rename_account(self.caller, **self.body)
        return Response(current_account_data(self.caller))
