"""Passwords: forgotten, reset by mail, changed."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.serializers.passwords import ChangeInput, ForgotInput, ResetInput
from accounts.serializers.people import SentOutput, TokenOutput, VerifiedOutput, tokens_data
from accounts.services import passwords
from accounts.views.common import AnonymousView, user_of
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView


class ForgotPasswordView(AnonymousView):
    """The answer is the same whether or not somebody has this address."""

    rate_limit = "RATE_LIMIT_SIGN_UP"

    @extend_schema(request=ForgotInput, responses={202: SentOutput}, operation_id="forgot_password")
    def post(self, request: Request) -> Response:
        passwords.forgot(validated(ForgotInput, request.data)["email"])
        return Response({"sent": True}, status=202)


class ResetPasswordView(AnonymousView):
    @extend_schema(request=ResetInput, responses=VerifiedOutput, operation_id="reset_password")
    def post(self, request: Request) -> Response:
        user = passwords.reset(**validated(ResetInput, request.data))
        return Response({"email": user.email, "email_verified": user.email_verified})


class ChangePasswordView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.SELF}

    @extend_schema(request=ChangeInput, responses=TokenOutput, operation_id="change_password")
    def post(self, request: Request) -> Response:
        wish = validated(ChangeInput, request.data)
        return Response(tokens_data(passwords.change(caller_of(request), user_of(request), **wish)))
