"""Queries that are compiled once in a process and prepared by PostgreSQL, for reads that are asked all the time.

Django spends ten times as long on the SQL of a wide row as PostgreSQL on finding it. On SQLite they run as querysets.
"""

from collections.abc import Callable
from functools import cached_property
from inspect import signature
from typing import Any, cast

from django.db import connections
from django.db.models import Expression, JSONField, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from genvid.postgresql.base import DatabaseWrapper

Row = tuple[Any, ...]


class Argument(Expression):
    """Stands in a queryset for what `CompiledQuery.rows` is given under its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


class CompiledQuery:
    """`build` makes a queryset of `values_list(...)` from keyword arguments, using each in filters as it is."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build

    def rows(self, **arguments: Any) -> list[Row]:
        connection = connections[self._alias]
        if connection.vendor != "postgresql":
            return list(self._build(**arguments))
        sql, params = self._compiled
        with cast("DatabaseWrapper", connection).preparing_cursor() as cursor:
            cursor.execute(sql, [arguments[each.name] if isinstance(each, Argument) else each for each in params])
            return cast("list[Row]", cursor.fetchall())

    @cached_property
    def _pattern(self) -> QuerySet[Any, Row]:
        return self._build(**{name: Argument(name) for name in signature(self._build).parameters})

    @cached_property
    def _alias(self) -> str:
        return self._pattern.db

    @cached_property
    def _compiled(self) -> tuple[str, list[Any]]:
        compiler = self._pattern.query.get_compiler(using=self._alias)
        sql, params = compiler.as_sql()
        _check_columns(compiler)
        return sql, list(params)


def _check_columns(compiler: SQLCompiler) -> None:
    """Of the columns that Django converts after reading, the cursor converts JSON alone."""
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    for _, column in compiler.get_converters(columns).values():
        if not isinstance(column.output_field, JSONField):
            raise TypeError(f"{column} cannot be read by a compiled query.")
