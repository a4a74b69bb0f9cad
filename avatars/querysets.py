"""Querysets of avatars and voices."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from avatars.catalogue_pages import forget_pages

OVERDUE = timedelta(days=2)


def offered_to(account_id: Any, prefix: str = "") -> Q:
    """Rows that an account may see: released to it or to all, and not hidden. None: those of all.

    `prefix`: the path to the row.
    """
    owner = Q(**{f"{prefix}account": None}) | Q(**{f"{prefix}account": account_id})
    return owner & Q(**{f"{prefix}is_released": True, f"{prefix}is_hidden": False})


def released_to(account_id: Any, prefix: str = "") -> Q:
    """Rows that an order of an account may be rendered with: `CatalogueEntry.is_released_to` in SQL."""
    owner = Q(**{f"{prefix}account": None}) | Q(**{f"{prefix}account": account_id})
    return owner & Q(**{f"{prefix}is_released": True, f"{prefix}is_private__isnull": False})


class CatalogueQuerySet(models.QuerySet[Any]):
    def update(self, **changes: Any) -> int:
        number = super().update(**changes)
        forget_pages()
        return number

    def bulk_create(self, *args: Any, **options: Any) -> list[Any]:
        rows = super().bulk_create(*args, **options)
        forget_pages()
        return rows

    def offered_to(self, account_id: UUID | None) -> "CatalogueQuerySet":
        """Includes retired rows."""
        return self.filter(offered_to(account_id))

    def of_mode(self, *, is_test: bool | None) -> "CatalogueQuerySet":
        """None: a person, who sees what keys of both modes made."""
        if is_test is None:
            return self
        return self.filter(Q(is_own=False) | Q(is_test=is_test))

    def shared(self) -> "CatalogueQuerySet":
        """Without what customers have made: HeyGen's lists say nothing about those rows."""
        return self.filter(is_own=False)

    def with_offered_voice(self, account_id: UUID | None) -> "CatalogueQuerySet":
        offered = Case(When(offered_to(account_id, "default_voice__"), then=F("default_voice_id")))
        avatars: CatalogueQuerySet = self.annotate(offered_voice_id=offered)
        return avatars

    def is_overdue(self) -> bool:
        """Whether the last complete sync is older than two nights. False while there is no catalogue yet."""
        latest = self.shared().aggregate(latest=models.Max("updated_at"))["latest"]
        return latest is not None and latest < timezone.now() - OVERDUE

    def unclassified(self) -> "CatalogueQuerySet":
        return self.shared().filter(is_private=None, is_available=True)

    def retire_missing(self, provider_ids: set[str]) -> int:
        gone = self.shared().filter(is_available=True).exclude(provider_id__in=provider_ids)
        return gone.update(is_available=False, updated_at=timezone.now())

    def classify(self, provider_ids: Collection[str], *, is_private: bool) -> int:
        """Rows that become private are withdrawn, public ones released. Returns how many changed."""
        other = Q(is_private=None) | Q(is_private=not is_private)
        changed = self.shared().filter(other, provider_id__in=provider_ids)
        return changed.update(is_private=is_private, is_released=not is_private, updated_at=timezone.now())
