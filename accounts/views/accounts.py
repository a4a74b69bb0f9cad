"""The accounts that a person belongs to, and the one that their session acts for."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.models import Membership
from accounts.serializers.people import SignedInOutput, signed_in_data
from accounts.serializers.teams import AccountInput, AccountOutput, SwitchInput, account_data
from accounts.services.teams import members, switching
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView
from genvid.errors import NotAuthenticated


def present_account(request: Request) -> dict[str, Any]:
    """As it is now: its name and the caller's role may just have changed."""
    caller = caller_of(request)
    mine = Membership.objects.filter(user=caller.user_id, account=caller.account_id).select_related("account").first()
    if mine is None:
        raise NotAuthenticated
    return account_data(mine.account, mine.role, caller)


class AccountsView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.SELF}

    @extend_schema(
        responses=AccountOutput(many=True),
        operation_id="list_accounts",
        parameters=PAGE_PARAMETERS,
        description="Those that the caller belongs to, the one joined last first.",
    )
    def get(self, request: Request) -> Response:
        return self.page(Membership.objects.filter(user=caller_of(request).user_id).select_related("account"))

    def represent(self, rows: list[Any]) -> list[Any]:
        caller = caller_of(self.request)
        return [account_data(membership.account, membership.role, caller) for membership in rows]


class AccountView(StrictAPIView):
    scopes: ClassVar = {"PATCH": Scope.TEAM_MANAGE}

    @extend_schema(request=AccountInput, responses=AccountOutput, operation_id="rename_account")
    def patch(self, request: Request) -> Response:
        members.rename_account(caller_of(request), **validated(AccountInput, request.data))
        return Response(present_account(request))


class SwitchView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.SELF}

    @extend_schema(
        request=SwitchInput,
        responses=SignedInOutput,
        operation_id="switch_account",
        description="Ends this session and opens one for another account of the caller: use its tokens from now on.",
    )
    def post(self, request: Request) -> Response:
        wish = validated(SwitchInput, request.data)
        return Response(signed_in_data(switching.switch(caller_of(request), **wish)))
