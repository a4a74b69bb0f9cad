"""SQL statements that Django's ORM lacks: writes that tell what they wrote, and rows of several models in one INSERT.

They need RETURNING: any PostgreSQL, and SQLite from 3.35.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from django.db import connections, router, transaction
from django.db.models import AutoField, Field, Model, QuerySet, sql
from django.db.models.constants import OnConflict
from django.db.models.fields import NOT_PROVIDED

BATCH_SIZE = 500
RowT = TypeVar("RowT", bound=Model)


def update_returning(rows: QuerySet[RowT], changes: Mapping[str, Any], *, read: Collection[str]) -> list[RowT]:
    """Update `rows`. Returns them with the columns `read`, as they are now; the others are read on access."""
    query: Any = rows.query.chain(sql.UpdateQuery)
    query.add_update_values(changes)
    # As in `QuerySet.update`: subqueries must not contain them.
    query.annotations = {}
    compiler = query.get_compiler(rows.db)
    return _returned(rows.model, compiler, *compiler.as_sql(), read=read)


def insert_if_absent(row: Model, *, read: Collection[str] = ()) -> bool:
    """False if a unique constraint holds another row. Sets the key and the columns `read` as the database has them."""
    compiler = _insert([row], on_conflict=OnConflict.IGNORE)
    [(text, params)] = compiler.as_sql()
    for found in _returned(type(row), compiler, text, params, read=read):
        vars(row).update(vars(found))
        return True
    return False


def add_to_counters(rows: Sequence[RowT], *, unique: Sequence[str], column: str) -> list[RowT]:
    """Insert `rows`, or add their `column` to the rows that hold their `unique` values already.

    They must differ in `unique`, and are locked in their order. Returns the rows with `unique` and the new `column`.
    """
    model, compiler = type(rows[0]), _insert(rows)
    quote = compiler.connection.ops.quote_name
    keys, added = [quote(_column(model, name)) for name in unique], quote(_column(model, column))
    [(text, params)] = compiler.as_sql()
    total = f"{quote(model._meta.db_table)}.{added} + excluded.{added}"
    text += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added} = {total}"
    return _returned(model, compiler, text, params, read=(*unique, column))


def insert_together(rows: Iterable[Model]) -> None:
    """Insert new rows whose keys are known or not needed; PostgreSQL gets one statement for all of them."""
    groups = [list(each) for _, each in groupby(rows, type)]
    using = _database(groups[0][0])
    if connections[using].vendor == "postgresql":
        _insert_in_one_statement(groups, using)
        return
    with transaction.atomic(using=using, savepoint=False):
        for each in groups:
            type(each[0])._base_manager.using(using).bulk_create(each, batch_size=BATCH_SIZE)


def _insert_in_one_statement(groups: list[list[Any]], using: str) -> None:
    # PostgreSQL checks foreign keys on commit, as Django declares them, so that the order does not matter.
    compiled = [_insert(each).as_sql()[0] for each in groups]
    *first, (last, _) = [(text, params) for text, params in compiled]
    named = ", ".join(f"i{number} AS ({text})" for number, (text, _) in enumerate(first))
    params = [value for _, values in compiled for value in values]
    with transaction.mark_for_rollback_on_error(using=using), connections[using].cursor() as cursor:
        cursor.execute(f"WITH {named} {last}" if named else last, params)
    for row in (row for each in groups for row in each):
        row._state.adding, row._state.db = False, using


def _insert(rows: Sequence[Model], *, on_conflict: OnConflict | None = None) -> Any:
    model = type(rows[0])
    query = sql.InsertQuery(model, on_conflict=on_conflict)
    query.insert_values([each for each in model._meta.concrete_fields if _is_written(each, rows)], [*rows])
    return query.get_compiler(_database(rows[0]))


def _database(row: Model) -> str:
    return str(router.db_for_write(type(row), instance=row))


def _is_written(field: Field[Any, Any], rows: Sequence[Model]) -> bool:
    """Not what the database computes, nor a column that is null in each row: nothing need be sent for it."""
    if field.generated:
        return False
    needs_no_value = isinstance(field, AutoField) or (field.null and field.db_default is NOT_PROVIDED)
    return not needs_no_value or any(getattr(row, field.attname) is not None for row in rows)


def _returned(model: type[RowT], compiler: Any, text: str, params: Any, *, read: Collection[str]) -> list[RowT]:
    quote, using = compiler.connection.ops.quote_name, compiler.using
    fields = [each for each in model._meta.concrete_fields if each.primary_key or {each.name, each.attname} & {*read}]
    text += f" RETURNING {', '.join(quote(each.column) for each in fields)}"
    with transaction.mark_for_rollback_on_error(using=using), compiler.connection.cursor() as cursor:
        cursor.execute(text, params)
        found = cursor.fetchall()
    converters = compiler.get_converters([each.get_col(model._meta.db_table) for each in fields])
    values = compiler.apply_converters(found, converters) if converters else found
    return [model.from_db(using, [each.attname for each in fields], row) for row in values]


def _column(model: type[Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.column)
