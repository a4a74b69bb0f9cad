"""Changes of tables give up their place in the queue of locks, on a real PostgreSQL with a held lock."""

import re
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DataError, OperationalError, connection, transaction
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState
from django.db.models import Index

from accounts.models import KnownNetwork, User
from genvid.index_changes import ChangeIndexes
from genvid.lock_waiting import Holder, lock_timeout, run_patiently
from genvid.management.commands.migrate import Command
from genvid.tests.query_plans import indexes_of

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = KnownNetwork._meta.db_table
SECONDS = 0.05


def connect(**options: Any) -> psycopg.Connection:
    given = connection.settings_dict
    login = {"host": given["HOST"], "port": given["PORT"] or None, "user": given["USER"], "password": given["PASSWORD"]}
    return psycopg.connect(dbname=given["NAME"], **login, **options)


class Reader:
    """A session that reads a table in a transaction, and does not end it."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.session = session
        self.pid = session.info.backend_pid
        session.execute(f"SELECT 1 FROM {TABLE}")  # noqa: S608 - our own name

    def end(self) -> None:
        self.session.rollback()


@pytest.fixture
def reader() -> Iterator[Reader]:
    with connect(application_name="reader") as session:
        yield Reader(session)


def alter() -> None:
    with connection.schema_editor() as editor:
        editor.execute(f"ALTER TABLE {TABLE} ALTER COLUMN last_used_at SET NOT NULL")


def current_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return cursor.fetchone()[0]


def test_a_blocked_change_is_tried_again_and_tells_who_blocks_it(reader):
    told: list[tuple[list[Holder], float]] = []

    def tell(holders: list[Holder], pause: float) -> None:
        told.append((holders, pause))
        reader.end()

    run_patiently(connection, alter, lock_seconds=SECONDS, pauses=[0.0, 0.0], tell=tell)
    ((holders, pause),) = told
    assert [(each.pid, each.program, each.state, each.tables) for each in holders] == [
        (reader.pid, "reader", "idle in transaction", [TABLE])
    ]
    assert (pause, current_timeout()) == (0.0, "0")


def test_a_change_that_was_blocked_at_its_end_is_tried_again(reader):
    """Django runs the statements of foreign keys when the editor ends, and leaves the transaction open if one fails."""

    def alter_at_the_end() -> None:
        with connection.schema_editor(atomic=True) as editor:
            editor.deferred_sql.append(f"ALTER TABLE {TABLE} ALTER COLUMN last_used_at SET NOT NULL")

    limits: list[str] = []

    def tell(*_: object) -> None:
        limits.append(current_timeout())
        reader.end()

    run_patiently(connection, alter_at_the_end, lock_seconds=SECONDS, pauses=[0.0], tell=tell)
    assert (limits, current_timeout(), connection.in_atomic_block) == (["50ms"], "0", False)


def test_without_a_bound_a_transaction_waits_as_long_as_it_takes():
    seen = []

    def look() -> None:
        with transaction.atomic():
            alter()
            seen.append(current_timeout())

    run_patiently(connection, look, lock_seconds=0, pauses=[], tell=lambda *_: None)
    assert seen == ["0"]


def test_after_the_last_try_the_failure_is_raised_and_requests_go_on(reader):
    told: list[float] = []
    with pytest.raises(OperationalError, match="lock timeout"):
        run_patiently(
            connection, alter, lock_seconds=SECONDS, pauses=[0.0, 0.0], tell=lambda _, pause: told.append(pause)
        )
    assert (told, current_timeout(), KnownNetwork.objects.count()) == ([0.0, 0.0], "0", 0)


def test_of_a_change_and_a_request_that_wait_for_each_other_the_request_goes_on(reader):
    """The change has held its first table for longer than it may wait, and the request waits for that one."""
    tries, other = [], User._meta.db_table

    def alter_both() -> None:
        with connection.schema_editor(atomic=True) as editor:
            tries.append(1)
            editor.execute(f"ALTER TABLE {other} ALTER COLUMN email SET NOT NULL")
            if len(tries) == 1:
                request.start()
                wait_until_blocked(reader.pid)
                editor.execute("SELECT pg_sleep(0.8)")
            editor.execute(f"ALTER TABLE {TABLE} ALTER COLUMN last_used_at SET NOT NULL")

    def read_the_other() -> None:
        try:
            reader.session.execute(f"SELECT 1 FROM {other}")  # noqa: S608 - our own name
        except psycopg.Error as error:
            failures.append(error)
        reader.end()

    failures: list[psycopg.Error] = []
    request = Thread(target=read_the_other)
    run_patiently(connection, alter_both, lock_seconds=0.5, pauses=[0.0] * 100, tell=lambda *_: request.join())
    assert (failures, len(tries)) == ([], 2)


def wait_until_blocked(pid: int) -> None:
    blocked = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    with connect(autocommit=True) as watcher:
        while not watcher.execute(blocked, [pid]).fetchone():
            time.sleep(0.01)


def test_a_change_may_read_rows_by_a_cursor_of_the_server_and_roll_back_to_a_savepoint():
    read: list[Any] = []

    def change() -> None:
        with transaction.atomic():
            read.extend(User.objects.iterator(chunk_size=10))
            with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
            read.append(User.objects.count())

    run_patiently(connection, change, lock_seconds=SECONDS, pauses=[], tell=lambda *_: None)
    assert (read, current_timeout()) == ([0], "0")


def test_other_failures_are_raised_at_once():
    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def tell(*_: object) -> None:
        pytest.fail("tried again")

    try:
        with pytest.raises(OperationalError):
            run_patiently(connection, fail, lock_seconds=SECONDS, pauses=[0.0], tell=tell)
    finally:
        connection.close()


def end_once_waited_for(reader: Reader, pid: int) -> None:
    """Ends the reader after `pid` has waited for it four times as long as it may wait for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock' AND query_start < %s"
    with connect(autocommit=True) as watcher:
        limit = f"clock_timestamp() - interval '{4 * SECONDS} seconds'"
        while not watcher.execute(waiting.replace("< %s", f"< {limit}"), [pid]).fetchone():
            time.sleep(0.01)
    reader.end()


def test_an_index_that_is_built_beside_writes_waits_as_long_as_it_takes(reader):
    state = ProjectState.from_apps(apps)
    step = ChangeIndexes([AddIndex("KnownNetwork", Index(fields=["last_used_at"], name="built_beside"))])
    step.state_forwards("accounts", state)
    connection.ensure_connection()
    thread = Thread(target=end_once_waited_for, args=(reader, connection.connection.info.backend_pid))
    thread.start()
    with lock_timeout(connection, SECONDS), connection.schema_editor(atomic=False) as editor:
        step.database_forwards("accounts", editor, state, state)
        assert "built_beside" in indexes_of(TABLE)
        step.database_backwards("accounts", editor, state, state)
    thread.join()
    assert "built_beside" not in indexes_of(TABLE)


def test_the_command_tells_the_holder_and_goes_on(reader, capsys, monkeypatch):
    """With one operation for Django's command: the tests have no migrations."""
    monkeypatch.setattr(Command.__base__, "handle", lambda self, *args, **options: alter())
    command = Command()
    say = command.tell

    def tell(holders: list[Holder], pause: float) -> None:
        say(holders, 0.0)
        reader.end()

    monkeypatch.setattr(command, "tell", tell)
    command.handle(database="default", lock_timeout=SECONDS, lock_tries=3)
    said = capsys.readouterr().out
    held = rf"Held by process {reader.pid} \(reader\), idle in transaction, in a transaction for \d+ s, on {TABLE}"
    assert re.search(held, said)
    assert "Try 2 follows in 0 s" in said
