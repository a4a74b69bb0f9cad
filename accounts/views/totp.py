"""The second factor: `auth/totp`."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import credentials, totp
from accounts.enums import Scope
from accounts.serializers.totp import (
    TotpCodesOutput,
    TotpConfirmInput,
    TotpDisableInput,
    TotpOutput,
    TotpSecretOutput,
    TotpStartInput,
)
from accounts.views.current import current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint


class TotpViewSet(AccountViewSet):
    tag = "Signing in"
    endpoints = {
        "retrieve": Endpoint("get_totp", scope=Scope.SELF, response=TotpOutput),
        "create": Endpoint(
            "start_totp",
            scope=Scope.SELF,
            request=TotpStartInput,
            response=TotpSecretOutput,
            status=201,
            errors=("invalid_state", "invalid_credentials"),
        ),
        "destroy": Endpoint(
            "disable_totp", scope=Scope.SELF, request=TotpDisableInput, errors=("invalid_state", "invalid_credentials")
        ),
        "confirm": Endpoint(
            "confirm_totp",
            scope=Scope.SELF,
            request=TotpConfirmInput,
            response=TotpCodesOutput,
            errors=("invalid_state",),
        ),
    }

    def retrieve(self, request: Request) -> Response:
        """Show whether a second factor is on."""
        user = current_user(self.caller)
        enabled = totp.authenticator_of(user) is not None
        return Response({"enabled": enabled, "recovery_codes_left": totp.recovery_codes_left(user)})

    def create(self, request: Request) -> Response:
        """Start to set up a second factor.

        Makes a secret. It counts for nothing until `auth/totp/confirm`.
        """
        user = current_user(self.caller)
        credentials.confirm_identity(user, **self.body)
        device = totp.start_enrolment(user)
        return Response({"secret": device.secret, "otpauth_url": device.url}, status=201)

    def destroy(self, request: Request) -> Response:
        """Turn the second factor off."""
        user = current_user(self.caller)
        credentials.confirm_identity(user, **self.body)
        totp.disable_totp(self.caller, user)
        return Response(status=204)

    @action(detail=False, methods=["post"])
    def confirm(self, request: Request) -> Response:
        """Turn the second factor on.

        Shows the recovery codes, this once.
        """
        code = self.body["code"]
        return Response({"recovery_codes": totp.confirm_enrolment(self.caller, current_user(self.caller), code=code)})
