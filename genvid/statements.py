"""SQL statements that Django's ORM lacks: writes that tell what they wrote, and rows of several models in one INSERT.

They need RETURNING: any PostgreSQL, and SQLite from 3.35.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, models, router, transaction
from django.db.models import AutoField, Model, QuerySet, sql
from django.db.models.fields import NOT_PROVIDED

from genvid.compiled_writes import CompiledWrite, Values, returned_fields, returning, update_compiler

BATCH_SIZE = 500
UNLESS_TAKEN = "ON CONFLICT DO NOTHING"
RowT = TypeVar("RowT", bound=Model)
Sql = tuple[str, Sequence[Any]]


def update_returning(
    rows: QuerySet[RowT],
    changes: Mapping[str, Any],
    *,
    read: Collection[str],
    picked: Sql | None = None,
    instead: Mapping[str, str] | None = None,
) -> list[RowT]:
    """Update `rows`. Returns them with the columns `read`, as they are now; the others are read on access.

    `picked`: a common table expression for the filter of `rows`. `instead`: SQL to return in the place of a column.
    """
    compiler = update_compiler(rows, changes, using=rows.db)
    text, params = compiler.as_sql()
    if picked is not None:
        text, params = f"WITH {picked[0]} {text}", (*picked[1], *params)
    return _returned(rows.model, compiler, text, params, read=read, instead=instead)


class CompiledInsert(CompiledWrite[RowT]):
    """`insert_if_absent` compiled once. `build` makes the row; nothing is returned where it was not inserted."""

    def _statement(self, using: str, stand_ins: Values) -> tuple[Any, str, Any]:
        row, params = self._build(**stand_ins), list[Any]()
        row._state.db = using
        text = f"{_insert_text([row], params)} {UNLESS_TAKEN}"
        return _insert_compiler(row), text, params


def insert_if_absent(row: Model, *, read: Collection[str] = ()) -> bool:
    """False if a unique constraint holds another row. Sets the key and the columns `read` as the database has them."""
    for found in _inserted([row], UNLESS_TAKEN, read=read):
        vars(row).update(vars(found))
        return True
    return False


def add_to_counters(rows: Sequence[RowT], *, unique: Sequence[str], column: str) -> list[RowT]:
    """Insert `rows`, or add their `column` to the rows that hold their `unique` values already.

    They must differ in `unique`, and are locked in their order. Returns the rows with `unique` and the new `column`.
    """
    meta, quote = rows[0]._meta, connections[_database(rows[0])].ops.quote_name
    keys, added = [quote(_column(meta, name)) for name in unique], quote(_column(meta, column))
    total = f"{quote(meta.db_table)}.{added} + excluded.{added}"
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added} = {total}"
    return _inserted(rows, conflict, read=(*unique, column))


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
    params: list[Any] = []
    *first, last = [_insert_text(each, params) for each in groups]
    named = ", ".join(f"i{number} AS ({text})" for number, text in enumerate(first))
    with transaction.mark_for_rollback_on_error(using=using), connections[using].cursor() as cursor:
        cursor.execute(f"WITH {named} {last}" if named else last, params)
    for row in (row for each in groups for row in each):
        row._state.adding, row._state.db = False, using


def _inserted(rows: Sequence[RowT], conflict: str, *, read: Collection[str]) -> list[RowT]:
    params: list[Any] = []
    text = f"{_insert_text(rows, params)} {conflict}"
    return _returned(type(rows[0]), _insert_compiler(rows[0]), text, params, read=read)


def _insert_text(rows: Sequence[Any], params: list[Any]) -> str:
    """Appends to `params`. Django's compiler takes twice as long for a row of fifty columns."""
    columns, compiler = _written(rows), _insert_compiler(rows[0])
    quote = compiler.connection.ops.quote_name
    table, names = quote(rows[0]._meta.db_table), ", ".join(quote(each.field.column) for each in columns)
    lists = [", ".join([_placeholder(row, each, compiler, params) for each in columns]) for row in rows]
    return f"INSERT INTO {table} ({names}) VALUES ({'), ('.join(lists)})"  # noqa: S608 - names and placeholders


def _insert_compiler(row: Model) -> Any:
    return sql.InsertQuery(type(row)).get_compiler(_database(row))


def _placeholder(row: Any, column: "_Column", compiler: Any, params: list[Any]) -> str:
    value = getattr(row, column.name)
    kind = type(value)
    if column.is_plain and kind in PLAIN_TYPES[compiler.connection.vendor]:
        if not value and kind in LITERALS:
            return LITERALS[kind]
        params.append(value)
        return "%s"
    sent = compiler.prepare_value(column.field, column.field.pre_save(row, add=True))
    text, values = compiler.field_as_sql(column.field, None, sent)
    params += values
    return str(text)


@dataclass(frozen=True, slots=True)
class _Column:
    field: Any
    name: str
    is_needed: bool
    """Whether it is sent without a value, too: it may not be null, or is something else then."""
    is_plain: bool
    """Whether values of PLAIN_TYPES are sent as they are."""


PLAIN_TYPES = {
    "postgresql": frozenset({str, int, bool, float, UUID, datetime, type(None)}),
    "sqlite": frozenset({str, int, float, type(None)}),
}
LITERALS = {str: "''", int: "0", bool: "FALSE", type(None): "NULL"}
"""Values that are false, by type: psycopg parses a statement anew each time when it has more than 50 parameters."""
PLAIN_FIELDS = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.BooleanField,
    models.FloatField,
    models.UUIDField,
    models.DateTimeField,
    models.ForeignKey,
)


@cache
def _columns(model: Any) -> list[_Column]:
    written = [each for each in model._meta.concrete_fields if not each.generated]
    return [_Column(each, each.attname, not _may_be_left_out(each), _is_plain(each)) for each in written]


def _is_plain(field: Any) -> bool:
    is_set_by_itself = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    is_djangos = type(field).__module__.startswith("django.db.models.fields")
    return is_djangos and isinstance(field, PLAIN_FIELDS) and not is_set_by_itself


def _written(rows: Sequence[Model]) -> list[_Column]:
    columns: list[_Column] = _columns(type(rows[0]))
    return [each for each in columns if each.is_needed or any(getattr(row, each.name) is not None for row in rows)]


def _database(row: Model) -> str:
    return str(router.db_for_write(type(row), instance=row))


def _may_be_left_out(field: Any) -> bool:
    return isinstance(field, AutoField) or (field.null and field.db_default is NOT_PROVIDED)


def _returned(
    model: type[RowT],
    compiler: Any,
    text: str,
    params: Any,
    *,
    read: Collection[str],
    instead: Mapping[str, str] | None = None,
) -> list[RowT]:
    using, fields = compiler.using, returned_fields(model, read)
    with transaction.mark_for_rollback_on_error(using=using), compiler.connection.cursor() as cursor:
        cursor.execute(text + returning(compiler, fields, instead), params)
        found = cursor.fetchall()
    converters = compiler.get_converters([each.get_col(model._meta.db_table) for each in fields])
    values = compiler.apply_converters(found, converters) if converters else found
    return [model.from_db(using, [each.attname for each in fields], row) for row in values]


def _column(meta: Any, name: str) -> str:
    return str(meta.get_field(name).column)
