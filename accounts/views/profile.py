"""A person's own profile."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.serializers.people import (
    ProfileInput,
    ProfileOutput,
    profile_data,
)
from accounts.serializers.privacy import EraseInput, EraseOutput, erase_data
from accounts.services import erasing
from accounts.views.common import account_of, user_of
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView


class ProfileView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.SELF, "PATCH": Scope.SELF, "DELETE": Scope.SELF}
    reads_body: ClassVar = frozenset({"PATCH", "DELETE"})

    @extend_schema(responses=ProfileOutput, operation_id="get_profile")
    def get(self, request: Request) -> Response:
        return Response(profile_data(user_of(request), account_of(request)))

    @extend_schema(request=ProfileInput, responses=ProfileOutput, operation_id="update_profile")
    def patch(self, request: Request) -> Response:
        changes = validated(ProfileInput, request.data)
        user = services.update_profile(user_of(request), **changes)
        return Response(profile_data(user, account_of(request)))

    @extend_schema(request=EraseInput, responses={202: EraseOutput}, operation_id="erase_profile")
    def delete(self, request: Request) -> Response:
        """Have your data erased, with the accounts that only you belong to. You are signed out everywhere at once."""
        given = validated(EraseInput, request.data)
        return Response(erase_data(erasing.request(caller_of(request), **given)), status=202)
