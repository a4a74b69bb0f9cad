"""Rows for data exports, without secrets. Used by every app that adds to an export."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from encrypted_fields.fields import EncryptedTextField

BATCH_SIZE = 500


def plain_rows(queryset: QuerySet[Any], *, without: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """Read lazily, by one query. Decimals become strings, since JSON numbers are not exact. Omits encrypted columns."""
    fields = queryset.model._meta.concrete_fields
    names = [field.attname for field in fields if not isinstance(field, EncryptedTextField)]
    rows = queryset.values(*[name for name in names if name not in without])
    for row in rows.iterator(chunk_size=BATCH_SIZE):
        yield {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}
