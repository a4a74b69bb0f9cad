"""Models of users, accounts (tenants), memberships and sessions."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password, verify_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower, Now
from django.utils import timezone

from accounts.enums import Revocation, Role
from accounts.querysets import MembershipQuerySet, SessionQuerySet, UserManager

REPEAT_WINDOW = timedelta(seconds=10)
"""How long a used refresh token may be repeated, after a lost response or by two tabs at once."""


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=150, blank=True, default="", db_default="")
    company_name = models.CharField(max_length=150, blank=True, default="", db_default="")
    preferred_language = models.CharField(max_length=35, default="en", db_default="en")
    email_notifications = models.BooleanField(default=True, db_default=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    is_staff = models.BooleanField(default=False, db_default=False)
    welcomed_at = models.DateTimeField(
        null=True, blank=True, help_text="When they first opened an account of their own: each is welcomed once."
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ci_unique")]

    def __str__(self) -> str:
        return self.email

    def check_password(self, raw_password: str | None) -> bool:
        """Renews an outdated hash. Django's own would write it over a password that was set meanwhile."""
        is_correct, is_outdated = verify_password(raw_password, self.password)
        if is_correct and is_outdated and not self._renew_hash(raw_password):
            # Another request has renewed the hash or set a new password.
            self.refresh_from_db(fields=["password"])
            return verify_password(raw_password, self.password)[0]
        return is_correct

    def _renew_hash(self, raw_password: str | None) -> bool:
        """Ends no session: the password stays. False if the stored hash is no longer the one that was checked."""
        checked, self.password = self.password, make_password(raw_password)
        return type(self).objects.filter(pk=self.pk, password=checked).update(password=self.password) == 1

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None


class Account(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    members: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        User, through="Membership", related_name="accounts"
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="When a session of it was last opened.")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "account"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.role} since {self.created_at:%Y-%m-%d}"


class Session(models.Model):
    """One sign-in and its refresh tokens. Only the newest token, with the id `jti`, is valid; see also `repeated`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sessions")
    jti = models.CharField(max_length=64)
    previous_jti = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        editable=False,
        help_text="Of the token that was traded for the present one.",
    )
    rotated_at = models.DateTimeField(null=True, editable=False, help_text="When `previous_jti` was traded.")
    address = models.GenericIPAddressField(null=True, blank=True, help_text="Where it was last used from.")
    user_agent = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(default=timezone.now, db_default=Now())
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=10, choices=Revocation.choices, blank=True, default="", db_default="")

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["user", "-created_at", "-id"], name="session_page")]

    def __str__(self) -> str:
        return str(self.id)

    def rotate(self, old_jti: str, new_jti: str, *, now: datetime, **fields: Any) -> bool:
        present = self._alive().filter(jti=old_jti)
        return present.update(jti=new_jti, previous_jti=old_jti, rotated_at=now, last_used_at=now, **fields) == 1

    def repeated(self, old_jti: str, *, now: datetime) -> Self | None:
        """The stored session if `old_jti` was rotated within REPEAT_WINDOW and its successor was not used yet. If the
        previous release has rotated, `last_used_at` differs from `rotated_at` and `previous_jti` is outdated.
        """
        lately = self._alive().filter(rotated_at__gt=now - REPEAT_WINDOW, last_used_at=F("rotated_at"))
        found: Self | None = lately.filter(previous_jti=old_jti).first()
        return found

    def revoke(self, reason: Revocation) -> bool:
        return self._alive().update(revoked_at=timezone.now(), revoked_reason=reason) == 1

    def _alive(self) -> SessionQuerySet:
        return Session.objects.alive().filter(pk=self.pk)
