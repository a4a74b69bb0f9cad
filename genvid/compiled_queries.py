"""Queries that are compiled once in a process and prepared by PostgreSQL, for reads that are asked all the time.

Django spends ten times as long on the SQL of a wide row as PostgreSQL on finding it. On SQLite they run as querysets.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from inspect import signature
from itertools import zip_longest
from typing import Any, cast

from django.db import connections
from django.db.models import Expression, IntegerField, JSONField, QuerySet, Subquery
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from genvid.postgresql.base import DatabaseWrapper

Row = tuple[Any, ...]
PLACEHOLDER = re.compile(r"(?<!%)%s")


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
        sql, names = self._compiled
        with cast("DatabaseWrapper", connection).preparing_cursor() as cursor:
            cursor.execute(sql, [arguments[name] for name in names])
            return cast("list[Row]", cursor.fetchall())

    @cached_property
    def _pattern(self) -> QuerySet[Any, Row]:
        return self._build(**{name: Argument(name) for name in signature(self._build).parameters})

    @cached_property
    def _alias(self) -> str:
        return self._pattern.db

    @cached_property
    def _compiled(self) -> tuple[str, list[str]]:
        compiler = self._pattern.query.get_compiler(using=self._alias)
        sql, params = compiler.as_sql()
        _check_columns(compiler)
        return _with_constants(sql, params), [each.name for each in params if isinstance(each, Argument)]


def _with_constants(sql: str, params: Sequence[Any]) -> str:
    """As literals: a plan for any argument uses no partial index whose condition has one."""
    # Filled in between the parts, for a constant may hold a placeholder as well.
    parts = PLACEHOLDER.split(sql)
    words = ["%s" if isinstance(each, Argument) else _literal(each) for each in params]
    return "".join(part for pair in zip_longest(parts, words, fillvalue="") for part in pair)


def _literal(value: Any) -> str:
    return Literal(value).as_string(None).replace("%", "%%")


def _check_columns(compiler: SQLCompiler) -> None:
    """Of the columns that Django converts after reading, the cursor converts JSON alone."""
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    for _, column in compiler.get_converters(columns).values():
        if not isinstance(column.output_field, JSONField) and not _is_plain_column(column):
            raise TypeError(f"{column} cannot be read by a compiled query.")


def _is_plain_column(expression: Any) -> bool:
    """Whether a subquery reads an integer column as it is: only computed ones come in another type."""
    if not isinstance(expression, Subquery) or not isinstance(expression.output_field, IntegerField):
        return False
    # What is computed, a sum say, stands among the annotations.
    columns = () if expression.query.annotation_select else expression.query.select
    return bool(columns) and all(isinstance(each, Col) for each in columns)
