"""Deletes and updates many rows in batches, so that locks are short."""

from datetime import datetime
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


def delete_oldest(rows: QuerySet[Any], moment: str, before: datetime) -> int:
    """Deletes the rows whose `moment` is earlier, of a table whose keys rise with it. It needs no index of `moment`:
    the first batch with a younger row is the last. Returns the number of deleted rows.
    """
    count = 0
    while batch := list(rows.order_by("pk").values_list("pk", moment)[:BATCH_SIZE]):
        old = [pk for pk, then in batch if then < before]
        rows.model._default_manager.filter(pk__in=old).delete()
        count += len(old)
        if len(old) < len(batch):
            break
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
