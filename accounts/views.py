"""Registration, sign-in, profile."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.models import Membership, User
from accounts.serializers import (
    LoginInput,
    ProfileInput,
    ProfileOutput,
    RefreshInput,
    RegisterInput,
    SignedInOutput,
    TokenOutput,
    VerifyInput,
    profile_data,
    signed_in_data,
    tokens_data,
)
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView
from genvid.errors import NotAuthenticated


class AnonymousView(StrictAPIView):
    """Open to everybody: a stale token in the header must not keep anybody from signing in."""

    authentication_classes = ()
    permission_classes = ()


class RegisterView(AnonymousView):
    @extend_schema(request=RegisterInput, responses={201: SignedInOutput}, operation_id="register")
    def post(self, request: Request) -> Response:
        signed_in = services.register(**validated(RegisterInput, request.data))
        return Response(signed_in_data(signed_in), status=201)


class LoginView(AnonymousView):
    @extend_schema(request=LoginInput, responses=SignedInOutput, operation_id="login")
    def post(self, request: Request) -> Response:
        return Response(signed_in_data(services.login(**validated(LoginInput, request.data))))


class RefreshView(AnonymousView):
    @extend_schema(request=RefreshInput, responses=TokenOutput, operation_id="refresh")
    def post(self, request: Request) -> Response:
        tokens = services.refresh(validated(RefreshInput, request.data)["refresh_token"])
        return Response(tokens_data(tokens))


class LogoutView(AnonymousView):
    """The refresh token itself is the proof: an expired access token must not keep anybody signed in."""

    @extend_schema(request=RefreshInput, responses={204: None}, operation_id="logout")
    def post(self, request: Request) -> Response:
        services.logout(validated(RefreshInput, request.data)["refresh_token"])
        return Response(status=204)


class EmailVerificationView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.SELF}

    @extend_schema(request=None, responses={202: None}, operation_id="request_email_verification")
    def post(self, request: Request) -> Response:
        services.request_verification(_user_of(request))
        return Response({"sent": True}, status=202)


class EmailVerifyView(AnonymousView):
    @extend_schema(request=VerifyInput, responses={200: None}, operation_id="verify_email")
    def post(self, request: Request) -> Response:
        user = services.verify_email(validated(VerifyInput, request.data)["token"])
        return Response({"email": user.email, "email_verified": True})


class ProfileView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.SELF, "PATCH": Scope.SELF}

    @extend_schema(responses=ProfileOutput, operation_id="get_profile")
    def get(self, request: Request) -> Response:
        return Response(profile_data(_user_of(request), _account_of(request)))

    @extend_schema(request=ProfileInput, responses=ProfileOutput, operation_id="update_profile")
    def patch(self, request: Request) -> Response:
        changes = validated(ProfileInput, request.data)
        user = services.update_profile(_user_of(request), **changes)
        return Response(profile_data(user, _account_of(request)))


def _user_of(request: Request) -> User:
    user: User | None = User.objects.filter(pk=caller_of(request).user_id, is_active=True).first()
    if user is None:
        raise NotAuthenticated
    return user


def _account_of(request: Request) -> dict[str, Any]:
    caller = caller_of(request)
    membership = (
        Membership.objects.filter(user=caller.user_id, account=caller.account_id).select_related("account").first()
    )
    if membership is None:
        raise NotAuthenticated
    return {"id": membership.account_id, "name": membership.account.name, "role": membership.role}
