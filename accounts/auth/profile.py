"""Changes of a user's own profile."""

from typing import Any

from accounts.models import User


def update_profile(user: User, **changes: Any) -> User:
    for name, value in changes.items():
        setattr(user, name, value)
    if changes:
        user.save(update_fields=list(changes))
    return user
