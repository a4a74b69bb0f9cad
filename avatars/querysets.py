"""Many rows of the catalogue at once."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone


def offered_to(account_id: Any, prefix: str = "") -> Q:
    """The rows that an account may see: released to it or to all, and not hidden. `prefix`: the path to the row."""
    owner = Q(**{f"{prefix}account": None}) | Q(**{f"{prefix}account": account_id})
    return owner & Q(**{f"{prefix}is_released": True, f"{prefix}is_hidden": False})


def released_to(account_id: Any, prefix: str = "") -> Q:
    """The rows that an order of an account may be rendered with: `CatalogueEntry.is_released_to` in SQL."""
    owner = Q(**{f"{prefix}account": None}) | Q(**{f"{prefix}account": account_id})
    return owner & Q(**{f"{prefix}is_released": True, f"{prefix}is_private__isnull": False})


class CatalogueQuerySet(models.QuerySet[Any]):
    """Avatars or voices."""

    def offered_to(self, account_id: UUID) -> "CatalogueQuerySet":
        """What clients of an account may see, the retired included: what is for all, and what is theirs."""
        return self.filter(offered_to(account_id))

    def with_offered_voice(self, account_id: UUID) -> "CatalogueQuerySet":
        """Avatars with `offered_voice_id`: the default voice, unless the account may not see it."""
        offered = Case(When(offered_to(account_id, "default_voice__"), then=F("default_voice_id")))
        avatars: CatalogueQuerySet = self.annotate(offered_voice_id=offered)
        return avatars

    def unclassified(self) -> "CatalogueQuerySet":
        """Those that HeyGen lists and no sync has told apart into private and public yet."""
        return self.filter(is_private=None, is_available=True)

    def retire_missing(self, provider_ids: set[str]) -> int:
        """Mark what HeyGen no longer lists. Returns how many."""
        gone = self.filter(is_available=True).exclude(provider_id__in=provider_ids)
        return gone.update(is_available=False, updated_at=timezone.now())

    def classify(self, provider_ids: Collection[str], *, is_private: bool) -> int:
        """Write down whose these are where that is news. Returns how many rows changed.

        What turns out to be private is taken back from clients until staff release it; what is public is for them.
        """
        other = Q(is_private=None) | Q(is_private=not is_private)
        changed = self.filter(other, provider_id__in=provider_ids)
        return changed.update(is_private=is_private, is_released=not is_private, updated_at=timezone.now())
