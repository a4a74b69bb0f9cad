"""Many rows of the catalogue at once."""

from typing import Any

from django.db import models
from django.utils import timezone


class CatalogueQuerySet(models.QuerySet[Any]):
    """Avatars or voices."""

    def visible(self) -> "CatalogueQuerySet":
        """What clients may see: all that staff have not hidden, the retired included."""
        return self.filter(is_hidden=False)

    def retire_missing(self, provider_ids: set[str]) -> int:
        """Mark what HeyGen no longer lists. Returns how many."""
        gone = self.filter(is_available=True).exclude(provider_id__in=provider_ids)
        return gone.update(is_available=False, updated_at=timezone.now())
