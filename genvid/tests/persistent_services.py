"""`make services`: a PostgreSQL and a Redis that stay up between runs of the tests, until `make services-stop`.

They keep nothing safe: PostgreSQL runs without fsync, Redis without a file. The tests find them by var/services.json.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from genvid.tests.services import Postgres, Redis, ServiceError

ROOT = Path(__file__).resolve().parents[2]
NOTE = Path(os.environ.get("GENVID_SERVICES", ROOT / "var" / "services.json"))
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Pair:
    """Two running servers. `folder` holds their data, outside the project because socket paths must be short."""

    folder: str
    database_url: str
    redis_url: str
    redis_port: int
    pids: list[int]

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{self.folder}/socket/.s.PGSQL.5432")
            with socket.create_connection(("127.0.0.1", self.redis_port), 5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    @contextmanager
    def borrowed(self) -> Iterator[bool]:
        """Locks the pair for the caller; False while another run of the tests has it."""
        with (Path(self.folder) / "borrowed.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def find() -> Pair | None:
    """The pair named in the note, if it is up."""
    try:
        pair = Pair(**json.loads(NOTE.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return pair if pair.answers() else None


def start() -> Pair:
    """The pair that is up, or a new one with an empty database `genvid` for `manage.py`."""
    if pair := find():
        return pair
    folder = Path(tempfile.mkdtemp(prefix="genvid-services-"))
    postgres, redis = Postgres(folder), Redis(folder)
    for server in (postgres, redis):
        server.outlives_us = True
        server.start()
    _create_database(postgres)
    assert postgres.process
    assert redis.process
    pair = Pair(str(folder), postgres.url, redis.url, redis.port, [postgres.process.pid, redis.process.pid])
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(json.dumps(asdict(pair)))
    return pair


def _create_database(postgres: Postgres) -> None:
    import psycopg  # noqa: PLC0415 - only a start pays for it

    with psycopg.connect(host=str(postgres.socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE genvid")


def stop() -> bool:
    """Whether there was a pair to stop. Deletes its data."""
    pair = find()
    NOTE.unlink(missing_ok=True)
    if pair is None:
        return False
    postgres, redis = pair.pids
    os.kill(postgres, signal.SIGINT)
    os.kill(redis, signal.SIGTERM)
    deadline, still_up = time.monotonic() + STOP_SECONDS, Path(pair.folder) / "data" / "postmaster.pid"
    while still_up.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(pair.folder, ignore_errors=True)
    return True


def main(word: str) -> int:
    """`start` prints lines for the shell: `eval "$(make -s services)"`."""
    if word == "stop":
        print("services: stopped" if stop() else "services: none were running", file=sys.stderr)
        return 0
    try:
        pair = start()
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1
    print(f"export DATABASE_URL={pair.database_url}\nexport REDIS_URL={pair.redis_url}")
    print("services: up until `make services-stop`; the tests use them by themselves", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
