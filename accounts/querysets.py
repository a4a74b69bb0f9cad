"""Querysets and managers of accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import F, Min, Q

from accounts.enums import OPEN_ERASURES, DeliveryStatus, Role
from genvid.leasing import from_now


class UserManager(BaseUserManager[Any]):
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

    def roles_now(self, session_id: UUID) -> models.QuerySet[Any, tuple[str]]:
        """The current role of the session's user; none if the session, user or membership is no longer active."""
        living = self.alive().filter(pk=session_id, user__is_active=True)
        return living.filter(user__memberships__account=F("account")).values_list("user__memberships__role")


class ApiKeyQuerySet(models.QuerySet[Any]):
    def usable(self, now: datetime) -> "ApiKeyQuerySet":
        """Keys that are not revoked or expired and whose creator is an active member; adds `role`."""
        young = Q(expires_at=None) | Q(expires_at__gt=now)
        theirs = self.filter(created_by__is_active=True, created_by__memberships__account=F("account"))
        usable: ApiKeyQuerySet = theirs.filter(young, revoked_at=None).annotate(role=F("created_by__memberships__role"))
        return usable


class EndpointQuerySet(models.QuerySet[Any]):
    def of(self, account_id: UUID) -> "EndpointQuerySet":
        return self.filter(account=account_id, deleted_at=None)

    def failing(self) -> "EndpointQuerySet":
        """Those that answer wrongly or not at all, and those that we switched off for it."""
        return self.filter(Q(failing_since__isnull=False) | ~Q(disabled_reason=""), deleted_at=None)


class DeliveryQuerySet(models.QuerySet[Any]):
    def pending(self) -> "DeliveryQuerySet":
        """Pending deliveries without a lease, due or not."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=from_now()), status=DeliveryStatus.PENDING)

    def sending(self) -> "DeliveryQuerySet":
        return self.filter(leased_until__gt=from_now())

    def due(self) -> "DeliveryQuerySet":
        """Those to be sent now. While an endpoint rests, only what was asked for by hand is sent to it."""
        open_to_all = Q(endpoint__paused_until=None) | Q(endpoint__paused_until__lte=from_now())
        is_open = open_to_all | Q(urgent=True)
        return self.pending().filter(is_open, next_attempt_at__lte=from_now(), endpoint__enabled=True)

    def endpoints_to_serve(self, most: int) -> list[UUID]:
        ranked = self.due().order_by().values("endpoint").annotate(waiting=Min("next_attempt_at")).order_by("waiting")
        return list(ranked.values_list("endpoint", flat=True)[:most])


class MembershipQuerySet(models.QuerySet[Any]):
    def owners(self) -> "MembershipQuerySet":
        """Active owners without an open erasure."""
        staying = self.filter(role=Role.OWNER, user__is_active=True)
        return staying.exclude(user__erasures__status__in=OPEN_ERASURES)

    def last_used(self) -> Any:
        """The membership used most recently, or else the oldest; None without memberships."""
        return self.select_related("account").order_by(F("last_used_at").desc(nulls_last=True), "created_at").first()


class InvitationQuerySet(models.QuerySet[Any]):
    def pending(self, now: datetime) -> "InvitationQuerySet":
        return self.filter(expires_at__gt=now)
