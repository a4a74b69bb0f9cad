"""Base class of the viewsets of videos and batches."""

from typing import Any

from django.db.models import QuerySet

from accounts.viewsets import AccountViewSet


class RenderedViewSet(AccountViewSet):
    def get_queryset(self) -> QuerySet[Any]:
        mine = super().get_queryset()
        return mine if self.visible_mode is None else mine.filter(is_test=self.visible_mode)

    @property
    def visible_mode(self) -> bool | None:
        """`is_test` of the rows that the caller sees: a key those of its own mode, people both (None)."""
        return None if self.caller.key_id is None else self.caller.is_test
