"""What each role and each API key may do: one table. Each endpoint declares a scope; who lacks it is refused."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.caller import Caller
from accounts.enums import KEY_SCOPES, Role, Scope
from genvid.errors import PermissionDenied

ALL_ROLES = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})

ROLES: dict[Scope, frozenset[Role]] = {
    Scope.CATALOGUE_READ: ALL_ROLES,
    Scope.VIDEOS_READ: ALL_ROLES,
    Scope.VIDEOS_WRITE: WRITERS,
    Scope.BILLING_READ: ALL_ROLES,
    Scope.BILLING_WRITE: MANAGERS,
    Scope.WEBHOOKS_READ: ALL_ROLES,
    Scope.WEBHOOKS_WRITE: MANAGERS,
    Scope.KEYS_MANAGE: MANAGERS,
    Scope.TEAM_READ: ALL_ROLES,
    Scope.TEAM_MANAGE: MANAGERS,
    Scope.ACCOUNT_OWN: frozenset({Role.OWNER}),
    Scope.AUDIT_READ: frozenset({Role.OWNER}),
    Scope.SELF: ALL_ROLES,
}
"""Which roles have a scope. An API key has at most those of its own list that its maker's role has too."""


def allows(caller: Caller, scope: Scope) -> bool:
    if caller.role not in ROLES[scope]:
        return False
    return caller.key_scopes is None or scope in caller.key_scopes


class HasScope(BasePermission):
    """Asks for the scope that the endpoint declares. Endpoints without one do not ask for permissions."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return False
        scope = Scope(view.endpoint.scope)
        if caller.key_scopes is not None and scope not in caller.key_scopes:
            raise PermissionDenied(_refusal_of_key(scope))
        return allows(caller, scope)


def _refusal_of_key(scope: Scope) -> str:
    if scope not in KEY_SCOPES:
        return "This is for people who have signed in, not for API keys."
    return f"This API key does not have the scope {scope}."
