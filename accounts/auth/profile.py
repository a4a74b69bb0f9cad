"""Changes of a user's own profile."""

from typing import Any

import structlog

from accounts.models import User

logger = structlog.get_logger(__name__)
VERIFICATION_SALT = "accounts.email-verification"


def update_profile(user: User, **changes: Any) -> User:
    for name, value in changes.items():
        setattr(user, name, value)
    if changes:
        user.save(update_fields=list(changes))
    return user
