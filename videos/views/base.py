"""Base class of the viewsets of videos and batches."""

from typing import Any

from django.db.models import QuerySet

from accounts.viewsets import AccountViewSet


class RenderedViewSet(AccountViewSet):
    def get_queryset(self) -> QuerySet[Any]:
        """A key sees rows of its own mode alone; people see both."""
        mine = super().get_queryset()
        return mine if self.caller.key_id is None else mine.filter(is_test=self.caller.is_test)
