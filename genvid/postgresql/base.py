"""Django's PostgreSQL backend with a cheaper health check, cheaper timestamps, and prepared statements.

`preparing_cursor` is for `genvid.compiled_queries` and `genvid.compiled_writes`.
"""

import select
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Self, cast

import orjson
import psycopg
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from django.utils.asyncio import async_unsafe
from psycopg import errors
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, seconds, probes: a server that vanished without a word shows at the socket within a minute."""


@lru_cache
def _with_fast_timestamps(template: AdaptersMap) -> AdaptersMap:
    """With psycopg's own loader, which is C code. Both give the session's time zone, which Django sets to UTC."""
    adapters = AdaptersMap(template)
    adapters.register_loader("timestamptz", TimestamptzLoader)
    return adapters


class JsonLoader(Loader):
    """Django reads JSON as text, and parses it in its fields."""

    def load(self, data: Any) -> Any:
        return orjson.loads(data)


class PreparingCursor(psycopg.Cursor[Any]):
    """Has the server prepare each statement that it executes for the second time on its connection."""

    threshold: int | None = None

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        self.adapters.register_loader("jsonb", JsonLoader)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        # For the time of the call only: psycopg would count, and keep, the statements of all other cursors too.
        self.connection.prepare_threshold = self.threshold
        try:
            return self._execute(query, params)
        finally:
            self.connection.prepare_threshold = None

    def _execute(self, query: Any, params: Any) -> Self:
        try:
            return super().execute(query, params)
        except (errors.FeatureNotSupported, errors.InvalidSqlStatementName):
            # A migration changed the type of a column, or somebody else has deallocated the statement.
            if self.connection.info.transaction_status != TransactionStatus.IDLE:
                raise
            super().execute("DEALLOCATE ALL")
            return super().execute(query, params)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """For logs of statements, with their values, which a prepared statement does not have in it."""
        if isinstance(cursor, PreparingCursor):
            return cast("str", self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    connection: Any
    errors_occurred: bool

    def get_connection_params(self) -> dict[str, Any]:
        params = KEEPALIVES | super().get_connection_params()
        return params | {"context": _with_fast_timestamps(params["context"]), "prepare_threshold": None}

    @property
    def prepare_threshold(self) -> int | None:
        return cast("int | None", self.settings_dict["OPTIONS"].get("prepare_threshold"))

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.prepare_threshold is not None:
            # Otherwise pages are planned anew each time, because the plan for a large account looks cheaper.
            self.connection.execute("SET plan_cache_mode = force_generic_plan")

    @async_unsafe
    def create_cursor(self, name: str | None = None) -> Any:
        """As Django's, which reads an attribute that only its own loader of timestamps has."""
        if name is None:
            return self.connection.cursor()
        server_side: Any = base.ServerSideCursor
        return server_side(self.connection, name=name, scrollable=False, withhold=self.connection.autocommit)

    @async_unsafe
    def preparing_cursor(self) -> CursorWrapper:
        self.close_if_health_check_failed()
        self.ensure_connection()
        cursor = PreparingCursor(self.connection)
        cursor.threshold = self.prepare_threshold
        prepare: Callable[[PreparingCursor], CursorWrapper] = self._prepare_cursor  # type: ignore[attr-defined]
        return prepare(cursor)

    def is_usable(self) -> bool:
        """Asks the server only if the socket has something to read: it is silent unless the server has hung up."""
        return self._is_idle_and_silent() or super().is_usable()

    def _is_idle_and_silent(self) -> bool:
        link = self.connection
        if link is None or link.closed or self.errors_occurred:
            return False
        return link.info.transaction_status == TransactionStatus.IDLE and not _has_data(link.fileno())


def _has_data(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
