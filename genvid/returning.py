"""`UPDATE … RETURNING`, which Django's querysets have not: rows are changed and read in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models
from django.db.models.sql import UpdateQuery

Sql = tuple[str, Sequence[Any]]


def update_returning(
    rows: models.QuerySet[Any],
    columns: Sequence[str],
    changes: Mapping[str, Any],
    *,
    picked: Sql | None = None,
    instead: Mapping[str, str] | None = None,
) -> list[Any]:
    """Change `rows`, and return them with `columns` alone loaded, as they are afterwards.

    `picked`: a common table expression for the filter of `rows`. `instead`: SQL to return in the place of a column.
    """
    query: Any = rows.order_by().query.chain(UpdateQuery)
    query.add_update_values(changes)
    connection = connections[rows.db]
    compiler = query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    fields = [field for field in rows.model._meta.concrete_fields if field.attname in columns]
    returned = ", ".join((instead or {}).get(field.attname, _quoted(connection, field)) for field in fields)
    prefix, first = (f"WITH {picked[0]} ", picked[1]) if picked else ("", ())
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix}{sql} RETURNING {returned}", (*first, *parameters))
        found = cursor.fetchall()
    converters = compiler.get_converters([field.get_col(rows.model._meta.db_table) for field in fields])
    names = [field.attname for field in fields]
    return [rows.model.from_db(rows.db, names, row) for row in compiler.apply_converters(found, converters)]


def _quoted(connection: Any, field: models.Field[Any, Any]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(field.model._meta.db_table)}.{quote(field.column)}"
