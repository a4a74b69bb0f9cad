"""Passwords: forgotten, reset by mail, changed: `auth/password/…`."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.serializers.passwords import ChangeInput, ForgotInput, ResetInput
from accounts.serializers.people import SentOutput, TokenOutput, VerifiedOutput, tokens_data
from accounts.services import passwords
from accounts.views.current import current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint


class PasswordViewSet(AccountViewSet):
    """The password of the caller, or of whoever holds the token that was mailed."""

    endpoints = {
        "forgot": Endpoint(
            "forgot_password",
            "Ask for a mail to reset the password",
            scope=None,
            request=ForgotInput,
            response=SentOutput,
            status=202,
            rate_limit="RATE_LIMIT_SIGN_UP",
            description="The answer is the same whether or not the address is known.",
        ),
        "reset": Endpoint(
            "reset_password",
            "Set a new password with the token of the mail",
            scope=None,
            request=ResetInput,
            response=VerifiedOutput,
            errors=("token_invalid",),
            description="Signs out everywhere.",
        ),
        "change": Endpoint(
            "change_password",
            "Change the password",
            scope=Scope.SELF,
            request=ChangeInput,
            response=TokenOutput,
            errors=("invalid_credentials",),
            description="Signs out everywhere else; go on with the new tokens.",
        ),
    }

    @action(detail=False, methods=["post"])
    def forgot(self, request: Request) -> Response:
        passwords.forgot(self.body["email"])
        return Response({"sent": True}, status=202)

    @action(detail=False, methods=["post"])
    def reset(self, request: Request) -> Response:
        user = passwords.reset(**self.body)
        return Response({"email": user.email, "email_verified": user.email_verified})

    @action(detail=False, methods=["post"])
    def change(self, request: Request) -> Response:
        changes = self.body
        return Response(tokens_data(passwords.change(self.caller, current_user(self.caller), **changes)))
