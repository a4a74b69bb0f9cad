"""What Django asks about passwords, and tells of them, wherever they are set: the API, staff's pages, a shell."""

from accounts.auth import sessions
from accounts.enums import Revocation
from accounts.models import User


class SessionRevokingValidator:
    """Hears of each password that a `save()` has stored. Our services end sessions themselves."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuses nothing."""

    def get_help_text(self) -> str:
        return "A new password signs you out everywhere."

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is not None:
            sessions.revoke_all_sessions(user.pk, Revocation.PASSWORD)
