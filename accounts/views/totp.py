"""The second factor: `auth/totp`."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.enums import Scope
from accounts.serializers.totp import (
    TotpCodesOutput,
    TotpConfirmInput,
    TotpDisableInput,
    TotpOutput,
    TotpSecretOutput,
    TotpStartInput,
)
from accounts.services import proving, totp
from accounts.views.current import current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint


class TotpViewSet(AccountViewSet):
    """The caller's authenticator app: at most one."""

    endpoints = {
        "retrieve": Endpoint("get_totp", "Show whether a second factor is on", scope=Scope.SELF, response=TotpOutput),
        "create": Endpoint(
            "start_totp",
            "Start to set up a second factor",
            scope=Scope.SELF,
            request=TotpStartInput,
            response=TotpSecretOutput,
            status=201,
            errors=("invalid_state", "invalid_credentials"),
            description="Makes a secret. It counts for nothing until `auth/totp/confirm`.",
        ),
        "destroy": Endpoint(
            "disable_totp",
            "Turn the second factor off",
            scope=Scope.SELF,
            request=TotpDisableInput,
            status=204,
            errors=("invalid_state", "invalid_credentials"),
        ),
        "confirm": Endpoint(
            "confirm_totp",
            "Turn the second factor on",
            scope=Scope.SELF,
            request=TotpConfirmInput,
            response=TotpCodesOutput,
            errors=("invalid_state",),
            description="Shows the recovery codes, this once.",
        ),
    }

    def retrieve(self, request: Request) -> Response:
        user = current_user(self.caller)
        enabled = totp.authenticator_of(user) is not None
        return Response({"enabled": enabled, "recovery_codes_left": totp.recovery_codes_left(user)})

    def create(self, request: Request) -> Response:
        user = current_user(self.caller)
        proving.check_again(user, **self.body)
        device = totp.start(user)
        return Response({"secret": device.secret, "otpauth_url": device.url}, status=201)

    def destroy(self, request: Request) -> Response:
        user = current_user(self.caller)
        proving.check_again(user, **self.body)
        totp.disable(self.caller, user)
        return Response(status=204)

    @action(detail=False, methods=["post"])
    def confirm(self, request: Request) -> Response:
        code = self.body["code"]
        return Response({"recovery_codes": totp.confirm(self.caller, current_user(self.caller), code=code)})
