"""Registration, sign-in, verification."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.enums import Scope
from accounts.serializers.people import (
    LoginInput,
    RefreshInput,
    RegisterInput,
    SentOutput,
    SignedInOutput,
    TokenOutput,
    VerifiedOutput,
    VerifyInput,
    signed_in_data,
    tokens_data,
)
from accounts.views.common import AnonymousView, user_of
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView


class RegisterView(AnonymousView):
    rate_limit = "RATE_LIMIT_SIGN_UP"

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
    reads_body: ClassVar = frozenset()

    @extend_schema(request=None, responses={202: SentOutput}, operation_id="request_email_verification")
    def post(self, request: Request) -> Response:
        services.request_verification(user_of(request))
        return Response({"sent": True}, status=202)


class EmailVerifyView(AnonymousView):
    @extend_schema(request=VerifyInput, responses=VerifiedOutput, operation_id="verify_email")
    def post(self, request: Request) -> Response:
        user = services.verify_email(validated(VerifyInput, request.data)["token"])
        return Response({"email": user.email, "email_verified": True})
