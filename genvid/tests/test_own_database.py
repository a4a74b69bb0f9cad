"""Which database may be dropped, with real SQLite files and a real PostgreSQL; a refusal changes nothing."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite

from genvid.own_database import Refused, is_own_host, own_database

OURS = ("accounts", "avatars", "billing", "videos")
MIGRATIONS = "CREATE TABLE django_migrations (app text)"


def as_ours(apps: tuple[str, ...] = OURS) -> list[str]:
    return [MIGRATIONS, *(f"INSERT INTO django_migrations VALUES ('{app}')" for app in apps)]  # noqa: S608 - our own words


def refusal_of(link: BaseDatabaseWrapper) -> str:
    with pytest.raises(Refused) as refused:
        own_database(link).check_may_be_dropped()
    return str(refused.value)


# ── SQLite


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "genvid.sqlite3"


@pytest.fixture
def sqlite(file) -> Sqlite:
    return Sqlite(connection.settings_dict | {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": {}})


def fill(file: Path, statements: list[str]) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as link:
        link.execute("PRAGMA journal_mode=WAL")
        for statement in statements:
            link.execute(statement)


def test_a_file_with_our_migrations_is_dropped_with_its_side_files(sqlite, file):
    fill(file, as_ours())
    (file.parent / "genvid.sqlite3-journal").write_text("")
    own_database(sqlite).check_may_be_dropped()
    own_database(sqlite).recreate()
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("statements", [[], None], ids=["empty", "missing"])
def test_a_file_with_nothing_in_it_may_be_dropped(sqlite, file, statements):
    if statements is not None:
        fill(file, statements)
    own_database(sqlite).check_may_be_dropped()
    own_database(sqlite).recreate()
    assert not file.exists()


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["CREATE TABLE diary (day text)"], "it is not empty and has no django_migrations table"),
        (as_ours(("accounts", "billing")), "its django_migrations table does not know avatars, videos"),
        (as_ours(()), "it is not empty and has no django_migrations table"),
    ],
    ids=["no migrations", "another project", "no apps"],
)
def test_a_sqlite_file_of_others_is_refused_and_stays(sqlite, file, statements, reason):
    fill(file, statements)
    before = file.read_bytes()
    assert reason in refusal_of(sqlite)
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_stays(sqlite, file):
    file.write_text("a letter to my aunt " * 100)
    assert refusal_of(sqlite) == "it cannot be read: file is not a database"
    assert file.read_text() == "a letter to my aunt " * 100


def test_a_file_that_somebody_has_open_is_refused_and_stays_as_it_was(sqlite, file):
    fill(file, as_ours())
    with closing(sqlite3.connect(file)) as other:
        other.execute("SELECT * FROM django_migrations").fetchall()
        assert "another process uses it" in refusal_of(sqlite)
        with pytest.raises(Refused):
            own_database(sqlite).recreate()
        assert other.execute("SELECT count(*) FROM django_migrations").fetchone() == (4,)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_checking_a_file_leaves_its_journal_mode(sqlite, file):
    fill(file, as_ours())
    own_database(sqlite).check_may_be_dropped()
    with closing(sqlite3.connect(file)) as link:
        assert link.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_in_memory_is_refused():
    link = Sqlite(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    assert refusal_of(link) == "it is in memory and gone by itself"


# ── PostgreSQL

needs_postgres = pytest.mark.django_db(transaction=True)
NAME = "genvid_to_be_reset"


@pytest.fixture
def server(transactional_db) -> Iterator[Callable[[str], list[tuple]]]:
    """Runs a statement in the server's own database."""
    settings = connection.settings_dict
    login = {"host": settings["HOST"], "port": settings["PORT"] or None, "user": settings["USER"]}
    with psycopg.connect(dbname="postgres", autocommit=True, password=settings["PASSWORD"] or None, **login) as link:

        def run(statement: str) -> list[tuple]:
            cursor = link.execute(statement)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def postgres(server, worker_id) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a database that is not there yet."""
    link = connection.copy()
    link.settings_dict["NAME"] = f"{NAME}_{worker_id}"
    yield link
    link.close()
    for (name,) in databases(server, worker_id):
        server(f'DROP DATABASE "{name}" WITH (FORCE)')


def databases(server: Callable[[str], list[tuple]], worker: str) -> list[tuple]:
    return server(f"SELECT datname FROM pg_database WHERE datname LIKE '{NAME}_{worker}%'")  # noqa: S608 - our own words


def fill_postgres(link: BaseDatabaseWrapper, server: Callable[[str], list[tuple]], statements: list[str]) -> None:
    own_database(link).create_if_missing()
    with link.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    pid = link.connection.info.backend_pid
    link.close()
    # The server notices a moment later, and would count this connection as another's.
    while server(f"SELECT 1 FROM pg_stat_activity WHERE pid = {int(pid)}"):  # noqa: S608 - a number
        time.sleep(0.01)


def tables(link: BaseDatabaseWrapper) -> list[str]:
    names = sorted(link.introspection.table_names())
    link.close()
    return names


@needs_postgres
def test_a_missing_database_is_made_once(postgres):
    assert own_database(postgres).create_if_missing() is True
    assert own_database(postgres).create_if_missing() is False


@needs_postgres
@pytest.mark.parametrize("statements", [as_ours(), []], ids=["ours", "empty"])
def test_a_database_with_our_migrations_or_nothing_is_made_anew(postgres, server, worker_id, statements):
    fill_postgres(postgres, server, statements)
    own_database(postgres).check_may_be_dropped()
    own_database(postgres).recreate()
    assert tables(postgres) == []
    assert databases(server, worker_id) == [(f"{NAME}_{worker_id}",)]


@needs_postgres
def test_the_new_database_has_the_owner_and_the_locale_of_the_old(postgres, server):
    shape = "SELECT datdba, encoding, datcollate, datctype FROM pg_database WHERE datname = '{}'"
    name = postgres.settings_dict["NAME"]
    server(f"CREATE DATABASE {name} OWNER pg_database_owner TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    before = server(shape.format(name))
    own_database(postgres).recreate()
    assert server(shape.format(name)) == before


@needs_postgres
@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["CREATE TABLE diary (day text)"], "it is not empty and has no django_migrations table"),
        (["CREATE SCHEMA private", "CREATE TABLE private.diary (day text)"], "it is not empty"),
        (as_ours(("accounts", "billing")), "its django_migrations table does not know avatars, videos"),
    ],
    ids=["no migrations", "another schema", "another project"],
)
def test_a_database_of_others_is_refused_and_stays(postgres, statements, reason, server):
    fill_postgres(postgres, server, statements)
    before = tables(postgres)
    assert reason in refusal_of(postgres)
    assert tables(postgres) == before


@needs_postgres
def test_a_database_in_use_is_refused_by_name_of_who_uses_it_and_stays(postgres, server, worker_id):
    fill_postgres(postgres, server, as_ours())
    other = postgres.copy()
    other.settings_dict["OPTIONS"] = {"application_name": "granian"}
    other.ensure_connection()
    try:
        assert refusal_of(postgres) == "1 other connections are open (granian); stop them first"
        with pytest.raises(Refused, match="being accessed by other users"):
            own_database(postgres).recreate()
    finally:
        other.close()
    assert tables(postgres) == ["django_migrations"]
    assert databases(server, worker_id) == [(f"{NAME}_{worker_id}",)]


@needs_postgres
def test_a_role_that_may_make_no_database_loses_none(postgres, server):
    fill_postgres(postgres, server, as_ours())
    name, role = postgres.settings_dict["NAME"], f"{postgres.settings_dict['NAME']}_role"
    server(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    server(f"ALTER DATABASE {name} OWNER TO {role}")
    weak = postgres.copy()
    weak.settings_dict |= {"USER": role, "PASSWORD": "secret"}
    try:
        with pytest.raises(Refused, match="permission denied to create database"):
            own_database(weak).recreate()
        assert tables(postgres) == ["django_migrations"]
    finally:
        server(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        server(f"DROP ROLE {role}")


@needs_postgres
def test_the_servers_own_database_is_refused(postgres):
    postgres.settings_dict["NAME"] = "postgres"
    assert refusal_of(postgres) == "postgres is the server's own database"


@needs_postgres
def test_a_server_that_does_not_answer_is_a_refusal_without_the_password():
    link = connection.copy()
    link.settings_dict |= {"HOST": "127.0.0.1", "PORT": "9", "USER": "me", "PASSWORD": "hunter2", "NAME": "genvid"}
    database = own_database(link)
    said = f"{database.label}: {refusal_of(link)}"
    assert said.startswith("PostgreSQL, genvid at 127.0.0.1:9: no connection: ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("host", "address", "own"),
    [
        ("/var/run/postgresql", "", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("127.0.0.5", "127.0.0.5", True),
        ("postgres", "172.18.0.2", True),
        ("postgres", "93.184.216.34", False),
        ("db", "172.18.0.2", False),
        ("localhost.example.com", "93.184.216.34", False),
        ("10.0.0.5", "10.0.0.5", False),
    ],
)
def test_own_hosts_are_this_machine_and_the_service_of_compose(host, address, own):
    assert is_own_host(host, address) is own
