"""What the viewsets of videos and batches share."""

from typing import Any

from django.db.models import QuerySet

from accounts.viewsets import AccountViewSet


class RenderedViewSet(AccountViewSet):
    """Rows that are either live or made by a test key (`is_test`)."""

    def get_queryset(self) -> QuerySet[Any]:
        """Those of the caller's account. A key sees those of its own mode alone; people see both."""
        mine = super().get_queryset()
        return mine if self.caller.key_id is None else mine.filter(is_test=self.caller.is_test)
