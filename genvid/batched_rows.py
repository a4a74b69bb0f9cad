"""Deletes and updates many rows in batches, so that locks are short."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

BATCH_SIZE = 500


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Each batch commits by itself, unless the caller holds a transaction. Returns the number of deleted rows."""
    count = 0
    while ids := _batch(rows):
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def update_in_batches(rows: QuerySet[Any], **changes: Any) -> int:
    """For changes after which a row is no longer among `rows`. Returns the number of changed rows."""
    count = 0
    while ids := _batch(rows):
        rows.model._default_manager.filter(pk__in=ids).update(**changes)
        count += len(ids)
    return count


def _batch(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE])
