"""What one request asks of PostgreSQL and Redis, counted by these two: whatever the program does, they see it."""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median_low

import redis
from django.db import connection

from bench.web.load import LoadError
from bench.web.results import Counts
from bench.web.stack import Stack, WebServer, Worker
from bench.web.traffic import KEY

LOGGED = re.compile(r"^.*?LOG:  (?:statement|execute [^:]*): (\w+)", re.MULTILINE)
BRACKETS = {"BEGIN", "COMMIT", "ROLLBACK"}
SAVEPOINTS = {"SAVEPOINT", "RELEASE"}
WARM_UP = 3
"""Requests of a caller before the counted one: either process then knows what it remembers of active callers."""
SETTLED = 0.05
"""Seconds after an answer: what a server still does for it then belongs to it."""


def count_requests(
    stack: Stack, server: WebServer, requests: Sequence[bytes], *, worker: Worker | None = None
) -> Counts:
    """The usual request of these: now and then one refreshes what its process remembers for seconds.

    `worker` stands still while one is counted: what it asks for, an order's own message among it, is none of them.
    """
    trips = redis.Redis.from_url(stack.redis.url)
    with _logging_statements():
        found = [_count(stack, server, trips, text, worker) for text in requests]
    return Counts(*(median_low(values) for values in zip(*found, strict=True)))


def _count(
    stack: Stack, server: WebServer, trips: "redis.Redis", text: bytes, worker: Worker | None
) -> tuple[int, int, int]:
    for _ in range(WARM_UP):
        send(server, text)
    with worker.paused() if worker else nullcontext():
        return _counted(stack, server, trips, text)


def _counted(stack: Stack, server: WebServer, trips: "redis.Redis", text: bytes) -> tuple[int, int, int]:
    time.sleep(SETTLED)
    log, before = stack.postgres.log, _reads(trips)
    size = log.stat().st_size
    send(server, text)
    time.sleep(SETTLED)
    asked = _reads(trips) - before - 1
    return (*statements_in(_tail(log, size)), asked)


def _reads(trips: "redis.Redis") -> int:
    """Times that Redis has read from a socket: once for this question, too."""
    return int(trips.info("stats")["total_reads_processed"])


def _tail(log: Path, size: int) -> str:
    with log.open("rb") as file:
        file.seek(size)
        return file.read().decode(errors="replace")


def statements_in(log: str) -> tuple[int, int]:
    """Statements but for BEGIN and COMMIT, and those of them that only make or drop a savepoint."""
    words = [word.upper() for word in LOGGED.findall(log)]
    return sum(word not in BRACKETS for word in words), sum(word in SAVEPOINTS for word in words)


def send(server: WebServer, text: bytes) -> bytes:
    """One request on a connection of its own. Raises LoadError unless the answer is a success."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as line:
        closing = text.replace(b"\r\nAccept:", b"\r\nConnection: close\r\nAccept:", 1)
        line.sendall(closing.replace(KEY, b"count-%d" % time.time_ns()))
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    if not answer.startswith(b"HTTP/1.1 2"):
        raise LoadError(f"{text.split(b' HTTP')[0].decode()} answered {answer[:1000].decode(errors='replace')}")
    return answer


@contextmanager
def _logging_statements() -> Iterator[None]:
    _set_log_statement("'all'")
    try:
        yield
    finally:
        _set_log_statement("DEFAULT")


def _set_log_statement(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SYSTEM SET log_statement = {value}")
        cursor.execute("SELECT pg_reload_conf()")
    # Each server process looks before its next statement.
    time.sleep(0.3)
