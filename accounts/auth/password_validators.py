"""Hooks of AUTH_PASSWORD_VALIDATORS."""

from accounts.auth import sessions
from accounts.enums import Revocation
from accounts.models import User


class SessionRevokingValidator:
    """Revokes a user's sessions when a password is set in the admin or a shell; Django calls it after `save()`."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Accepts every password."""

    def get_help_text(self) -> str:
        return "A new password signs you out everywhere."

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is not None:
            sessions.revoke_all_sessions(user.pk, Revocation.PASSWORD)
