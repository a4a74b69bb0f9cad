"""Many rows of this room at once."""

from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.db import models


class UserManager(BaseUserManager[Any]):
    """People are found and kept by lower-case e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Any:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Any:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(email=(username or "").lower())


class SessionQuerySet(models.QuerySet[Any]):
    def alive(self) -> "SessionQuerySet":
        return self.filter(revoked_at=None)
