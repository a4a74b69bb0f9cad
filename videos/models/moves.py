"""Writes a change of a row together with its event. Used by `Video.move` alone."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, cast

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql import UpdateQuery

from genvid.transactions import joined


def update_with_event(rows: models.QuerySet[Any], changes: Mapping[str, Any], event: models.Model) -> bool:
    """Change the only row of `rows` and insert `event`. False, and no event, when no row matched."""
    connection = connections[rows.db]
    if connection.vendor == "postgresql":
        return _in_one_statement(rows, changes, event, connection)
    with transaction.atomic(using=rows.db, savepoint=False):
        if rows.update(**changes) != 1:
            return False
        event.save(using=rows.db, force_insert=True)
    return True


def _in_one_statement(
    rows: models.QuerySet[Any], changes: Mapping[str, Any], event: models.Model, connection: BaseDatabaseWrapper
) -> bool:
    update, given = _update_statement(rows, changes, connection)
    columns = [field for field in event._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in columns]
    names, marks = ", ".join(f'"{field.column}"' for field in columns), ", ".join(["%s"] * len(columns))
    insert = f'INSERT INTO "{event._meta.db_table}" ({names}) SELECT {marks} FROM moved'  # noqa: S608 - our own names
    # Outside of any transaction the statement is its own, without BEGIN and COMMIT.
    with joined() if connection.in_atomic_block else nullcontext(), connection.cursor() as cursor:
        cursor.execute(f"WITH moved AS ({update} RETURNING 1) {insert}", [*given, *values])
        return cast(int, cursor.rowcount) == 1


def _update_statement(
    rows: models.QuerySet[Any], changes: Mapping[str, Any], connection: BaseDatabaseWrapper
) -> tuple[str, tuple[Any, ...]]:
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(changes)
    statement: tuple[str, tuple[Any, ...]] = query.get_compiler(connection=connection).as_sql()
    return statement
