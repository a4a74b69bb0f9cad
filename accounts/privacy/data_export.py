"""Rows as their person may have them: every column but the secrets. For the rooms that add to an export."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from encrypted_fields.fields import EncryptedTextField

BATCH_SIZE = 500


def plain_rows(queryset: QuerySet[Any], *, without: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """One dictionary a row, read as they are asked for: one query, and never more than `AT_A_TIME` in memory.

    Decimals become strings, since JSON's numbers are not exact. Encrypted columns are left out; `without` names what
    else is a secret, or not the person's.
    """
    fields = queryset.model._meta.concrete_fields
    names = [field.attname for field in fields if not isinstance(field, EncryptedTextField)]
    rows = queryset.values(*[name for name in names if name not in without])
    for row in rows.iterator(chunk_size=BATCH_SIZE):
        yield {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}
