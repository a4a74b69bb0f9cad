"""The second factor."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
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
from accounts.views.common import user_of
from genvid.api.serializers import validated
from genvid.api.views import StrictAPIView


class TotpView(StrictAPIView):
    scopes: ClassVar = {"GET": Scope.SELF, "POST": Scope.SELF, "DELETE": Scope.SELF}
    reads_body: ClassVar = frozenset({"POST", "DELETE"})

    @extend_schema(responses=TotpOutput, operation_id="get_totp")
    def get(self, request: Request) -> Response:
        user = user_of(request)
        enabled = totp.authenticator_of(user) is not None
        return Response({"enabled": enabled, "recovery_codes_left": totp.recovery_codes_left(user)})

    @extend_schema(request=TotpStartInput, responses={201: TotpSecretOutput}, operation_id="start_totp")
    def post(self, request: Request) -> Response:
        """Makes a secret. It counts for nothing until `auth/totp/confirm`."""
        user = user_of(request)
        proving.check_again(user, **validated(TotpStartInput, request.data))
        device = totp.start(user)
        return Response({"secret": device.secret, "otpauth_url": device.url}, status=201)

    @extend_schema(request=TotpDisableInput, responses={204: None}, operation_id="disable_totp")
    def delete(self, request: Request) -> Response:
        user = user_of(request)
        proving.check_again(user, **validated(TotpDisableInput, request.data))
        totp.disable(caller_of(request), user)
        return Response(status=204)


class TotpConfirmView(StrictAPIView):
    scopes: ClassVar = {"POST": Scope.SELF}

    @extend_schema(request=TotpConfirmInput, responses=TotpCodesOutput, operation_id="confirm_totp")
    def post(self, request: Request) -> Response:
        code = validated(TotpConfirmInput, request.data)["code"]
        codes = totp.confirm(caller_of(request), user_of(request), code=code)
        return Response({"recovery_codes": codes})
