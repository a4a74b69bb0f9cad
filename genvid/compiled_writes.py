"""Writes that Django compiles once in a process, where compiling costs more than running them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import randrange
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model, QuerySet, sql

ModelT = TypeVar("ModelT", bound=Model)
Value = UUID | int | str | datetime
Values = Mapping[str, Value]
STAND_INS: Mapping[type, Callable[[], Value]] = {
    UUID: uuid4,
    int: lambda: randrange(2**30, 2**31),
    str: lambda: str(uuid4()),
    datetime: lambda: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=randrange(10**15)),
}


@dataclass(frozen=True)
class Template:
    text: str
    params: tuple[Any, ...]
    positions: dict[int, str]
    """Indexes of `params` with the name of the value that goes there."""
    converters: dict[int, tuple[list[Any], Any]]
    """By the index of the column."""

    def rows(self, connection: Any, values: Values) -> list[list[Any]]:
        params = list(self.params)
        for index, name in self.positions.items():
            params[index] = _adapted(connection, values[name])
        with preparing_cursor(connection) as cursor:
            cursor.execute(self.text, params)
            found = cursor.fetchall()
        return [self._converted(row, connection) for row in found]

    def _converted(self, row: Any, connection: Any) -> list[Any]:
        values = list(row)
        for index, (converters, expression) in self.converters.items():
            for convert in converters:
                values[index] = convert(values[index], expression, connection)
        return values


class CompiledWrite(ABC, Generic[ModelT]):
    """A statement that returns the rows that it wrote.

    `build` makes it from a value of each of `kinds` by name, and is called once for each database.
    """

    def __init__(self, model: type[ModelT], build: Callable[..., Any], *, read: Collection[str], **kinds: type) -> None:
        self._model, self._build, self._kinds = model, build, kinds
        self._fields = returned_fields(model, read)
        self._templates: dict[str, Template] = {}

    def rows(self, values: Values, *, using: str = DEFAULT_DB_ALIAS) -> list[ModelT]:
        """The written rows with the columns `read`, as they are now; the others are read on access."""
        if using not in self._templates:
            self._templates[using] = self._template(using)
        names = [each.attname for each in self._fields]
        with transaction.mark_for_rollback_on_error(using=using):
            found = self._templates[using].rows(connections[using], values)
        return [self._model.from_db(using, names, row) for row in found]

    def _template(self, using: str) -> Template:
        stand_ins = {name: STAND_INS[kind]() for name, kind in self._kinds.items()}
        compiler, text, params = self._statement(using, stand_ins)
        columns = [each.get_col(self._model._meta.db_table) for each in self._fields]
        return _template(compiler, text + returning(compiler, self._fields), params, stand_ins, columns)

    @abstractmethod
    def _statement(self, using: str, stand_ins: Values) -> tuple[Any, str, Any]:
        """A compiler of the model, text and parameters, without RETURNING."""


class CompiledUpdate(CompiledWrite[ModelT]):
    """UPDATE … RETURNING. `build` makes the rows to update, and the changes."""

    def _statement(self, using: str, stand_ins: Values) -> tuple[Any, str, Any]:
        compiler = update_compiler(*self._build(**stand_ins), using=using)
        return (compiler, *compiler.as_sql())


def preparing_cursor(connection: Any) -> Any:
    return connection.preparing_cursor() if connection.vendor == "postgresql" else connection.cursor()


def update_compiler(rows: QuerySet[Any], changes: Mapping[str, Any], *, using: str) -> Any:
    query: Any = rows.query.chain(sql.UpdateQuery)
    query.add_update_values(changes)
    # As in `QuerySet.update`: subqueries must not contain them.
    query.annotations = {}
    return query.get_compiler(using)


def returned_fields(model: type[Model], read: Collection[str]) -> list[Any]:
    """The key and the columns `read`, in the order in which `Model.from_db` takes them."""
    return [each for each in model._meta.concrete_fields if each.primary_key or {each.name, each.attname} & {*read}]


def returning(compiler: Any, fields: list[Any], instead: Mapping[str, str] | None = None) -> str:
    """`instead`: SQL in the place of a column, by its name."""
    quote, others = compiler.connection.ops.quote_name, instead or {}
    return f" RETURNING {', '.join(others.get(each.attname, quote(each.column)) for each in fields)}"


def _template(compiler: Any, text: str, params: Any, stand_ins: Values, columns: list[Any]) -> Template:
    names = {_adapted(compiler.connection, value): name for name, value in stand_ins.items()}
    positions = {
        index: names[value] for index, value in enumerate(params) if isinstance(value, Hashable) and value in names
    }
    return Template(text, tuple(params), positions, compiler.get_converters(columns))


def _adapted(connection: Any, value: Value) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value
