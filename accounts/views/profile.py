"""A person's own profile."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.enums import Scope
from accounts.serializers.people import (
    ProfileInput,
    ProfileOutput,
    profile_data,
)
from accounts.views.common import account_of, user_of
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView


class ProfileView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.SELF, "PATCH": Scope.SELF}

    @extend_schema(responses=ProfileOutput, operation_id="get_profile")
    def get(self, request: Request) -> Response:
        return Response(profile_data(user_of(request), account_of(request)))

    @extend_schema(request=ProfileInput, responses=ProfileOutput, operation_id="update_profile")
    def patch(self, request: Request) -> Response:
        changes = validated(ProfileInput, request.data)
        user = services.update_profile(user_of(request), **changes)
        return Response(profile_data(user, account_of(request)))
