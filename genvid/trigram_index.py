"""A migration operation: an index that finds parts of a text (`icontains`), on PostgreSQL.

It needs the extension pg_trgm, which the owner of a database may create without being a superuser (PostgreSQL 13 and
later call it trusted). Where it cannot be had, the migration goes on without the index.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from django.db import NotSupportedError, connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import DatabaseError

logger = structlog.get_logger(__name__)
LEAST = 3
"""Characters of a part that the index can find."""


class AddTrigramIndex(Operation):
    """Its migration must not be atomic. Models do not know of the index; `index_exists` does."""

    atomic = False

    def __init__(self, table: str, column: str, name: str) -> None:
        self.table, self.column, self.name = table, column, name

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"table": self.table, "column": self.column, "name": self.name}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models do not know of it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        if schema_editor.connection.in_atomic_block:
            raise NotSupportedError("Set `atomic = False` on the migration.")
        quote = schema_editor.quote_name
        try:
            with transaction.atomic(schema_editor.connection.alias):
                schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning("trigram_index_not_made", index=self.name, error=str(error).strip())
            return
        # What a failed attempt left would not be used by any query.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(self.name)}")
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {quote(self.name)} ON {quote(self.table)} "
            f"USING gin (upper({quote(self.column)}::text) gin_trgm_ops)"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.name)}")

    def describe(self) -> str:
        return f"Index parts of {self.table}.{self.column}"


def index_exists(name: str) -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", [name])
        return cursor.fetchone() is not None
