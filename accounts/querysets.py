"""Many rows of this room at once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import F, Q


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

    def role_now(self, session_id: UUID) -> str | None:
        """The role that the person behind a living session has in its account now; None once any of it has ended."""
        living = self.alive().filter(pk=session_id, user__is_active=True)
        mine = living.filter(user__memberships__account=F("account"))
        role: str | None = mine.values_list("user__memberships__role", flat=True).first()
        return role


class ApiKeyQuerySet(models.QuerySet[Any]):
    def usable(self, now: datetime) -> "ApiKeyQuerySet":
        """Neither revoked nor expired, and made by somebody who still belongs to the account."""
        young = Q(expires_at=None) | Q(expires_at__gt=now)
        theirs = self.filter(created_by__is_active=True, created_by__memberships__account=F("account"))
        usable: ApiKeyQuerySet = theirs.filter(young, revoked_at=None).annotate(role=F("created_by__memberships__role"))
        return usable
