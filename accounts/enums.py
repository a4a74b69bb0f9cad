"""Words of this room."""

from django.db.models import TextChoices


class Role(TextChoices):
    """What a person may do in an account, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


CAN_WRITE = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})


class Revocation(TextChoices):
    """Why a session ended before its time."""

    LOGOUT = "logout"
    REUSE = "reuse", "a refresh token was used twice"
    PASSWORD = "password", "the password changed"
