"""Which roles and API keys have which scope. Every endpoint declares the scope that it requires."""

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
    Scope.UPLOADS_WRITE: WRITERS,
    Scope.AVATARS_WRITE: WRITERS,
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
"""Roles that have a scope. An API key needs it both in its own list and by its creator's current role."""


def allows(caller: Caller, scope: Scope) -> bool:
    if caller.role not in ROLES[scope]:
        return False
    return caller.key_scopes is None or scope in caller.key_scopes


class HasScope(BasePermission):
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
