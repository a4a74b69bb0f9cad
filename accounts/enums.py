"""Words of this room."""

from django.db.models import TextChoices


class Role(TextChoices):
    """What a person may do in an account, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Scope(TextChoices):
    """What a request does. `accounts.permissions.ROLES` says who may."""

    CATALOGUE_READ = "catalogue:read"
    VIDEOS_READ = "videos:read"
    VIDEOS_WRITE = "videos:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_MANAGE = "keys:manage"
    TEAM_READ = "team:read"
    TEAM_MANAGE = "team:manage"
    ACCOUNT_OWN = "account:own"
    SELF = "self"


KEY_SCOPES = (
    Scope.CATALOGUE_READ,
    Scope.VIDEOS_READ,
    Scope.VIDEOS_WRITE,
    Scope.BILLING_READ,
    Scope.BILLING_WRITE,
    Scope.WEBHOOKS_READ,
    Scope.WEBHOOKS_WRITE,
)
"""What an API key may be given. People, keys and the account itself are for people alone."""


class Revocation(TextChoices):
    """Why a session ended before its time."""

    LOGOUT = "logout"
    REUSE = "reuse", "a refresh token was used twice"
    PASSWORD = "password", "the password changed"
