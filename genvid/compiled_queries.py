"""Queries that Django compiles once in a process, for requests where compiling costs more than running them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet


@dataclass(frozen=True)
class _Compiled:
    text: str
    params: tuple[Any, ...]
    positions: dict[int, str]
    """Indexes of `params` with the name of the value that goes there."""
    converters: dict[int, tuple[list[Any], Any]]
    """By the index of the column."""

    def converted(self, row: Any, connection: Any) -> list[Any]:
        values = list(row)
        for index, (converters, expression) in self.converters.items():
            for convert in converters:
                values[index] = convert(values[index], expression, connection)
        return values


class CompiledQuery:
    """`build` makes the query of `.values_list(…)` from UUIDs by name; it is called once for each database."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *names: str) -> None:
        self._build, self._names = build, names
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, *, using: str = DEFAULT_DB_ALIAS, **values: UUID) -> list[list[Any]]:
        compiled = self._compiled.get(using) or self._compile(using)
        connection = connections[using]
        params = list(compiled.params)
        for index, name in compiled.positions.items():
            params[index] = _adapted(connection, values[name])
        with connection.cursor() as cursor:
            cursor.execute(compiled.text, params)
            found = cursor.fetchall()
        return [compiled.converted(row, connection) for row in found]

    def _compile(self, using: str) -> _Compiled:
        stand_ins = {name: uuid4() for name in self._names}
        compiler: Any = self._build(**stand_ins).using(using).query.get_compiler(using)
        text, params = compiler.as_sql()
        names = {_adapted(connections[using], value): name for name, value in stand_ins.items()}
        positions = {index: names[value] for index, value in enumerate(params) if value in names}
        converters = compiler.get_converters([each for each, *_ in compiler.select])
        self._compiled[using] = _Compiled(text, tuple(params), positions, converters)
        return self._compiled[using]


def _adapted(connection: Any, value: UUID) -> UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex
