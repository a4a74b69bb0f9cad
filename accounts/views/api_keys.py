"""API keys, for the people who manage an account. A key cannot make keys."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_keys import api_keys
from accounts.enums import Scope
from accounts.models import ApiKey
from accounts.serializers.api_keys import ApiKeyInput, ApiKeyOutput, NewApiKeyOutput, key_data
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint, Idempotency
from genvid.api.viewsets import ListMixin


class ApiKeyViewSet(ListMixin, AccountViewSet):
    tag = "API keys"
    queryset = ApiKey.objects.filter(revoked_at=None)
    representation = staticmethod(key_data)
    endpoints = {
        "list": Endpoint(
            "list_api_keys",
            "List the API keys",
            scope=Scope.KEYS_MANAGE,
            response=ApiKeyOutput,
            many=True,
            description="Their secrets are not kept and cannot be shown again.",
        ),
        "create": Endpoint(
            "create_api_key",
            scope=Scope.KEYS_MANAGE,
            request=ApiKeyInput,
            response=NewApiKeyOutput,
            status=201,
            idempotency=Idempotency.ATOMIC,
            errors=("conflict",),
        ),
        "destroy": Endpoint("revoke_api_key", scope=Scope.KEYS_MANAGE),
    }

    def create(self, request: Request) -> Response:
        """Make an API key.

        `key` is the key itself, shown this once.
        """
        key, text = api_keys.create_api_key(self.caller, **self.body)
        return Response(key_data(key) | {"key": text}, status=201)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Revoke an API key.

        It stops working at once.
        """
        api_keys.revoke_api_key(self.caller, self.get_object())
        return Response(status=204)
