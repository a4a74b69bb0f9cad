"""Changes of tables that wait for a lock only briefly, and come again.

Whoever waits for a table holds up everybody who comes to it later. So PostgreSQL ends the wait after seconds
(`lock_timeout`), requests go on, and the change is tried again once they have passed.

A transaction that changes several tables holds some while it waits for others, and a request may hold those and wait
for the first. PostgreSQL looks for such a deadlock when somebody has waited for `deadlock_timeout`, a second, and fails
whoever looked. So a transaction may wait in its first moments alone: then no request has waited for it for so long.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError
from psycopg import errors
from psycopg.pq import TransactionStatus

PASSING = (errors.LockNotAvailable, errors.DeadlockDetected)
Connection = Any
"""Django's, to PostgreSQL."""

# What was waited for was held when the wait began.
HOLDERS = """
    SELECT a.pid, coalesce(nullif(a.application_name, ''), a.backend_type), coalesce(a.state, 'active'),
        extract(epoch FROM clock_timestamp() - a.xact_start)::int, array_agg(DISTINCT c.relname::text)
    FROM pg_stat_activity a
    JOIN pg_locks l ON l.pid = a.pid AND l.granted AND l.locktype = 'relation'
    JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p') AND c.relnamespace <> 'pg_catalog'::regnamespace
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
        AND a.xact_start <= clock_timestamp() - %s * interval '1 second'
    GROUP BY a.pid, a.application_name, a.backend_type, a.state, a.xact_start ORDER BY a.xact_start
"""


@dataclass(frozen=True)
class Holder:
    """A session with a transaction that is open for longer than was waited."""

    pid: int
    program: str
    state: str
    seconds: int
    tables: list[str]

    def __str__(self) -> str:
        tables = ", ".join(self.tables)
        return f"process {self.pid} ({self.program}), {self.state}, in a transaction for {self.seconds} s, on {tables}"


def run_patiently(
    connection: Connection,
    work: Callable[[], object],
    *,
    lock_seconds: float,
    pauses: Iterable[float],
    tell: Callable[[list[Holder], float], None],
) -> None:
    """Run `work`, which may be begun again, until no lock is in its way; once more after each pause, in seconds.

    `tell` gets the holders of locks and the pause that follows. Raises the last failure.
    """
    with lock_timeout(connection, lock_seconds), waits_of_transactions(connection, lock_seconds):
        for pause in pauses:
            try:
                work()
            except OperationalError as error:
                if not isinstance(error.__cause__, PASSING):
                    raise
                _leave_transaction(connection, lock_seconds)
                tell(holders(connection, lock_seconds), pause)
                time.sleep(pause)
            else:
                return
        work()


def _leave_transaction(connection: Connection, lock_seconds: float) -> None:
    """Django leaves one open where a statement fails that it had put off, such as that of a foreign key."""
    if connection.in_atomic_block:
        connection.close()
        connection.connect()
        with connection.cursor() as cursor:
            _set(cursor, f"{round(lock_seconds * 1000)}ms")


@contextmanager
def lock_timeout(connection: Connection, seconds: float) -> Iterator[None]:
    """0: waits for as long as it takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        _set(cursor, f"{round(seconds * 1000)}ms")
    try:
        yield
    finally:
        if not connection.connection.closed:
            with connection.cursor() as cursor:
                _set(cursor, before)


def waits_of_transactions(connection: Connection, seconds: float) -> AbstractContextManager[None]:
    """A transaction waits for locks in its first `seconds` alone; after that it fails where one is in its way.

    0: it waits for as long as it takes.
    """
    if not seconds:
        return nullcontext()
    began = 0.0

    def bound(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal began
        status = connection.connection.info.transaction_status
        if status == TransactionStatus.IDLE:
            began = time.monotonic()
        # One that has failed takes nothing but a rollback.
        if connection.in_atomic_block and status != TransactionStatus.INERROR:
            left = max(1, round((seconds - (time.monotonic() - began)) * 1000))
            connection.connection.execute(f"SET LOCAL lock_timeout = '{left}ms'")
        return execute(sql, params, many, context)

    made: AbstractContextManager[None] = connection.execute_wrapper(bound)
    return made


def _set(cursor: Any, value: str) -> None:
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])


def holders(connection: Connection, seconds: float) -> list[Holder]:
    """Sessions that have held a lock on a table for at least `seconds`, the oldest transaction first."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [seconds])
        return [Holder(*row) for row in cursor.fetchall()]
