"""Many rows of a table at once, copied from one row by SQL. PostgreSQL only."""

from typing import Any

from django.db import connection
from django.db.models import Model


def copy_row(row: Model, count: int, **columns: str) -> None:
    """Insert `count` copies of `row`. `columns`: SQL of those that differ; the copies' numbers `n` fall to 1."""
    names = [field.column for field in row._meta.concrete_fields if field.column is not None]
    unknown = columns.keys() - set(names)
    assert not unknown, unknown
    if row._meta.pk.get_internal_type() == "BigAutoField":
        names.remove(row._meta.pk.column)
    values = ", ".join(columns.get(name, f'original."{name}"') for name in names)
    into, table, key = ", ".join(f'"{name}"' for name in names), row._meta.db_table, row._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({into}) SELECT {values} '  # noqa: S608 - SQL of tests
            f"""FROM "{table}" AS original, generate_series({count}, 1, -1) AS n WHERE original."{key}" = '{row.pk}'"""
        )


def reindex(model: Any) -> None:
    """Indexes as small as their rows, whatever earlier tests have left in them: the planner goes by their size."""
    with connection.cursor() as cursor:
        cursor.execute(f"REINDEX TABLE {model._meta.db_table}")


def analyze(*models: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(model._meta.db_table for model in models))
