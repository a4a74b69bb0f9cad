"""API keys, for the people who manage an account. A key cannot make keys."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.caller import caller_of
from accounts.enums import Scope
from accounts.idempotency import IDEMPOTENCY_KEY, Effect, idempotent
from accounts.models import ApiKey
from accounts.serializers.keys import ApiKeyInput, ApiKeyOutput, NewApiKeyOutput, key_data
from accounts.services import api_keys
from genvid.api.filters import PAGE_PARAMETERS
from genvid.api.serializers import validated
from genvid.api.views import KeysetListView, StrictAPIView, one_or_404


class ApiKeysView(KeysetListView):
    scopes: ClassVar = {"GET": Scope.KEYS_MANAGE, "POST": Scope.KEYS_MANAGE}

    @extend_schema(responses=ApiKeyOutput(many=True), operation_id="list_api_keys", parameters=PAGE_PARAMETERS)
    def get(self, request: Request) -> Response:
        return self.page(ApiKey.objects.filter(account=caller_of(request).account_id, revoked_at=None))

    @extend_schema(
        request=ApiKeyInput,
        responses={201: NewApiKeyOutput},
        operation_id="create_api_key",
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Effect:
        caller, wish = caller_of(request), validated(ApiKeyInput, request.data)

        def effect() -> Response:
            key, text = api_keys.create(caller, **wish)
            return Response(key_data(key) | {"key": text}, status=201)

        return effect

    def represent(self, rows: list[Any]) -> list[Any]:
        return [key_data(key) for key in rows]


class ApiKeyView(StrictAPIView):
    scopes: ClassVar = {"DELETE": Scope.KEYS_MANAGE}

    @extend_schema(responses={204: None}, operation_id="revoke_api_key")
    def delete(self, request: Request, pk: UUID) -> Response:
        caller = caller_of(request)
        mine = ApiKey.objects.filter(account=caller.account_id, revoked_at=None)
        api_keys.revoke(caller, one_or_404(mine, pk=pk))
        return Response(status=204)
