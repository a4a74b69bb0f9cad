"""DRF authentication: access tokens (`Authorization: Bearer …`) and API keys (as Bearer or `X-API-Key`)."""

import ipaddress
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.api_keys import key_format
from accounts.auth import session_cache
from accounts.auth.tokens import read_access_token
from accounts.caller import Caller
from accounts.enums import KEY_SCOPES, KeyMode
from accounts.models import ApiKey
from genvid import cache, request_context
from genvid.api import rate_limits
from genvid.api.client_address import client_address
from genvid.errors import NotAuthenticated

LAST_USED_INTERVAL_SECONDS = 60


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token or not token.isascii():
            raise NotAuthenticated
        if _is_api_key(token):
            # ApiKeyAuthentication handles it.
            return None
        caller = _with_current_role(request._request, read_access_token(token.strip()))
        _bind_to_context(caller)
        return caller, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _with_current_role(request: HttpRequest, caller: Caller) -> Caller:
    """Counts the request, too. Raises NotAuthenticated if the session, user or membership is no longer active."""
    if caller.session_id is None:
        raise NotAuthenticated
    cached = rate_limits.count_caller(
        request, caller.account_id, caller.user_id, None, session_cache.key_of(caller.session_id)
    )
    role = session_cache.current_role(caller.session_id, cached)
    if role is None:
        raise NotAuthenticated
    return replace(caller, role=role)


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        text = _bearer_key(request) or request.headers.get("X-API-Key")
        if text is None:
            return None
        key = _verified_key(text)
        if not _is_allowed_address(key, client_address(request._request)):
            raise NotAuthenticated("This API key may not be used from this address.")
        _record_use(request._request, key)
        caller = Caller(
            key.created_by_id,
            key.account_id,
            key.role,
            key_id=key.pk,
            key_scopes=frozenset(key.scopes),
            is_test=key.mode == KeyMode.TEST,
        )
        _bind_to_context(caller)
        return caller, key.prefix


def _is_api_key(token: str) -> bool:
    return token.strip().startswith(key_format.KEY_PREFIX)


def _bearer_key(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and _is_api_key(token) else None


def _verified_key(text: str) -> Any:
    """Raises NotAuthenticated. An unknown prefix takes as long as a wrong secret."""
    parts = key_format.parse_key(text)
    if parts is None:
        raise NotAuthenticated
    prefix, secret = parts
    key = ApiKey.objects.usable(timezone.now()).filter(prefix=prefix).first()
    if not key_format.matches_digest(secret, key.digest if key else key_format.digest_of("")) or key is None:
        raise NotAuthenticated
    return key


def _is_allowed_address(key: ApiKey, address: str) -> bool:
    if not key.allowed_addresses:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(network) for network in key.allowed_addresses)


def _record_use(request: HttpRequest, key: ApiKey) -> None:
    """Counts the request, too."""
    name = f"accounts.key-used:{key.pk}"
    is_recorded = rate_limits.count_caller(request, key.account_id, key.created_by_id, key.pk, name)
    if not is_recorded and cache.is_first_in(name, LAST_USED_INTERVAL_SECONDS):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())


def _bind_to_context(caller: Caller) -> None:
    request_context.bind(account_id=caller.account_id, user_id=caller.user_id, key_id=caller.key_id)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = ["apiKey", "apiKeyAsBearer"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        header = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "gv_…"}
        return [header, bearer | {"description": "An API key, for clients that can send a bearer token alone."}]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        scopes = [str(auto_schema.scope)]
        return [{name: scopes} for name in self.name] if auto_schema.scope in KEY_SCOPES else []
