"""Passwords: forgotten, reset by mail, changed: `auth/password/…`."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import passwords
from accounts.enums import Scope
from accounts.serializers.passwords import ChangeInput, ForgotInput, ResetInput
from accounts.serializers.people import SentOutput, TokenOutput, VerifiedOutput
from accounts.views.current import current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint


class PasswordViewSet(AccountViewSet):
    tag = "Signing in"
    endpoints = {
        "forgot": Endpoint(
            "forgot_password",
            scope=None,
            request=ForgotInput,
            response=SentOutput,
            status=202,
            rate_limit="RATE_LIMIT_SIGN_UP",
        ),
        "reset": Endpoint(
            "reset_password", scope=None, request=ResetInput, response=VerifiedOutput, errors=("token_invalid",)
        ),
        "change": Endpoint(
            "change_password",
            scope=Scope.SELF,
            request=ChangeInput,
            response=TokenOutput,
            errors=("invalid_credentials",),
        ),
    }

    @action(detail=False, methods=["post"])
    def forgot(self, request: Request) -> Response:
        """Ask for a mail to reset the password.

        The answer is the same whether or not the address is known.
        """
        passwords.request_password_reset(self.body["email"])
        return Response({"sent": True}, status=202)

    @action(detail=False, methods=["post"])
    def reset(self, request: Request) -> Response:
        """Set a new password with the token of the mail.

        Signs out everywhere.
        """
        user = passwords.reset_password(**self.body)
        return Response(VerifiedOutput.of(user))

    @action(detail=False, methods=["post"])
    def change(self, request: Request) -> Response:
        """Change the password.

        Signs out everywhere else; go on with the new tokens.
        """
        changes = self.body
        return Response(TokenOutput.of(passwords.change_password(self.caller, current_user(self.caller), **changes)))
