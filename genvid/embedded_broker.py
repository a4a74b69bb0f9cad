"""Celery's broker of `make run`: kombu's SQLAlchemy transport on one SQLite file, without its cost when idle.

Its tables and their meaning stay kombu's; what is done with messages is plain SQL on a connection that is kept.
Loaded by `genvid.celery` for a URL that begins with `sqla+`: production has Redis, and no SQLAlchemy.
"""

import sqlite3
from collections.abc import Callable
from functools import cached_property
from queue import Empty
from typing import Any

from kombu.transport import sqlalchemy
from kombu.utils.json import dumps, loads

LOCK_SECONDS = 20.0
QUEUE = "SELECT id FROM kombu_queue WHERE name = ?"
# Of two processes that declare a queue at once, one makes it.
NEW_QUEUE = "INSERT INTO kombu_queue (name) VALUES (?) ON CONFLICT DO NOTHING"
WAITING_QUEUES = "SELECT DISTINCT queue_id FROM kombu_message WHERE visible = 1"
OLDEST = "SELECT id, payload FROM kombu_message WHERE visible = 1 AND queue_id = ? ORDER BY id LIMIT 1"
TAKE = "UPDATE kombu_message SET visible = 0 WHERE id = ? AND visible = 1"
PUT = "INSERT INTO kombu_message (visible, payload, version, queue_id) VALUES (1, ?, 1, ?)"
WAITS = "SELECT 1 FROM kombu_message WHERE visible = 1 AND queue_id = ? AND json_extract(payload, '$.headers.task') = ?"
COUNT = "SELECT count(*) FROM kombu_message WHERE visible = 1 AND queue_id = ?"


class Channel(sqlalchemy.Channel):
    """Asks once which queues have messages. Kombu locks the file for each queue, five times a second."""

    _waiting: frozenset[int] = frozenset()

    @cached_property
    def _queue_ids(self) -> dict[str, int]:
        return {}

    @cached_property
    def _database(self) -> sqlite3.Connection:
        engine, _ = self._open()
        database = sqlite3.connect(
            str(engine.url.database), timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        # Without a wait for the disk at each message: what a power cut loses, a sweep finds.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        return database

    def _queue_id(self, queue: str) -> int:
        if queue not in self._queue_ids:
            self._new_queue(queue)
            self._queue_ids[queue] = self._database.execute(QUEUE, (queue,)).fetchone()[0]
        return self._queue_ids[queue]

    def _new_queue(self, queue: str, **_: Any) -> None:
        if self._database.execute(QUEUE, (queue,)).fetchone() is None:
            self._database.execute(NEW_QUEUE, (queue,))

    def _poll(self, cycle: Any, callback: Callable[..., Any], timeout: float | None = None) -> Any:
        self._waiting = frozenset(row[0] for row in self._database.execute(WAITING_QUEUES))
        if not self._waiting:
            raise Empty
        return super()._poll(cycle, callback, timeout=timeout)

    def _get_and_deliver(self, queue: str, callback: Callable[..., Any]) -> None:
        if self._queue_id(queue) not in self._waiting:
            raise Empty
        super()._get_and_deliver(queue, callback)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while oldest := self._database.execute(OLDEST, (self._queue_id(queue),)).fetchone():
            message_id, payload = oldest
            # Of several consumers, one takes it.
            if self._database.execute(TAKE, (message_id,)).rowcount == 1:
                return loads(payload)
        raise Empty

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        self._database.execute(PUT, (dumps(payload), self._queue_id(queue)))

    def _size(self, queue: str) -> int:
        return int(self._database.execute(COUNT, (self._queue_id(queue),)).fetchone()[0])

    def has_waiting(self, queue: str, task: str) -> bool:
        """Whether a message of `task` waits that no worker has taken."""
        return self._database.execute(WAITS, (self._queue_id(queue), task)).fetchone() is not None

    def close(self) -> None:
        super().close()
        if database := self.__dict__.pop("_database", None):
            database.close()


class Transport(sqlalchemy.Transport):
    Channel = Channel
    # Kombu's own is a second. As a transport option it would be passed on to SQLAlchemy, which does not know it.
    polling_interval = 0.2
    connection_errors: Any = (*sqlalchemy.Transport.connection_errors, sqlite3.OperationalError)
