"""Drops and creates the installation's database, if it may be dropped. For SQLite and PostgreSQL.

It may be dropped when it is the one of the settings, on this machine or in compose, and either empty or with the
migrations of all our apps. Otherwise `Refused` is raised before anything has changed.
"""

import secrets
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

OUR_APPS = frozenset({"accounts", "avatars", "billing", "videos"})
COMPOSE_SERVICE = "postgres"
CLOSING_SECONDS = 5.0
"""PostgreSQL itself waits this long for other sessions before it refuses to drop a database."""
SERVERS_OWN = ("postgres", "template0", "template1")
SIDE_FILES = ("-wal", "-shm", "-journal")

RELATIONS = """
    SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
SESSIONS = """
    SELECT coalesce(nullif(application_name, ''), 'unnamed') FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' ORDER BY 1
"""
SHAPE = """
    SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype
    FROM pg_database WHERE datname = %s
"""


class Refused(Exception):
    """Not ours, in use, or unreachable; nothing has changed."""


class OwnDatabase(ABC):
    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.settings: dict[str, Any] = connection.settings_dict

    @property
    @abstractmethod
    def label(self) -> str:
        """Engine and location, without a password."""

    @abstractmethod
    def create_if_missing(self) -> bool:
        """True if it has been created. Raises `Refused` where it cannot be."""

    @abstractmethod
    def check_may_be_dropped(self) -> None:
        """Raises `Refused` unless the database is ours and nobody uses it."""

    @abstractmethod
    def recreate(self) -> None:
        """Raises `Refused` when somebody began to use it meanwhile."""


def own_database(connection: BaseDatabaseWrapper) -> OwnDatabase:
    return SqliteDatabase(connection) if connection.vendor == "sqlite" else PostgresDatabase(connection)


def remove_sqlite(path: Path) -> None:
    """Removes its journal too, which would be replayed into the next database of that name."""
    for end in ("", *SIDE_FILES):
        path.with_name(path.name + end).unlink(missing_ok=True)


def check_is_ours(relations: int, apps: set[str]) -> None:
    if relations and not apps:
        raise Refused("it is not empty and has no django_migrations table, so it is somebody else's")
    if relations and not apps >= OUR_APPS:
        missing = ", ".join(sorted(OUR_APPS - apps))
        raise Refused(f"its django_migrations table does not know {missing}, so it is not this project's")


class SqliteDatabase(OwnDatabase):
    @property
    def path(self) -> Path:
        return Path(self.settings["NAME"]).resolve()

    @property
    def label(self) -> str:
        return f"SQLite, {self.path}"

    def create_if_missing(self) -> bool:
        if self.path.exists():
            return False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return True

    def check_may_be_dropped(self) -> None:
        if ":memory:" in str(self.settings["NAME"]):
            raise Refused("it is in memory and gone by itself")
        if not self.path.exists():
            return
        try:
            check_is_ours(*self._inventory())
            with self._held_alone():
                pass
        except sqlite3.Error as error:
            raise Refused(f"it cannot be read: {error}") from error

    def recreate(self) -> None:
        self.connection.close()
        if not self.path.exists():
            return
        with self._held_alone():
            remove_sqlite(self.path)

    def _inventory(self) -> tuple[int, set[str]]:
        with closing(sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True)) as reader:
            names = {
                name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            }
            known = "django_migrations" in names
            apps = {app for (app,) in reader.execute("SELECT app FROM django_migrations")} if known else set()
        return len(names), apps

    @contextmanager
    def _held_alone(self) -> Iterator[None]:
        self.connection.close()
        with closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as holder:
            try:
                (mode,) = holder.execute("PRAGMA journal_mode").fetchone()
                holder.execute("PRAGMA journal_mode=DELETE")
                holder.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise Refused(f"another process uses it ({error}); stop that first") from error
            yield
            holder.execute("ROLLBACK")
            if self.path.exists():
                holder.execute(f"PRAGMA journal_mode={mode}")


class PostgresDatabase(OwnDatabase):
    @property
    def name(self) -> str:
        return str(self.settings["NAME"])

    @property
    def label(self) -> str:
        host = self.settings["HOST"] or "the local socket"
        port = f":{self.settings['PORT']}" if self.settings["PORT"] else ""
        return f"PostgreSQL, {self.name} at {host}{port}"

    def create_if_missing(self) -> bool:
        try:
            self.connection.ensure_connection()
        except OperationalError as error:
            return self._create_after(error)
        return False

    def _create_after(self, failure: OperationalError) -> bool:
        """Creates the database if connecting failed only because it is missing on our own server."""
        with self._server() as cursor:
            if self._exists(cursor):
                raise Refused(f"no connection: {first_line(failure)}") from failure
            self._check_server()
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))
        return True

    def check_may_be_dropped(self) -> None:
        if self.name in SERVERS_OWN:
            raise Refused(f"{self.name} is the server's own database")
        with self._server() as cursor:
            self._check_server()
            if self._exists(cursor):
                check_is_ours(*self._inventory())
                self._check_unused(cursor)

    def recreate(self) -> None:
        """Creates the new database first: a role that may not create one loses nothing."""
        draft = sql.Identifier(f"{self.name[:40]}_{secrets.token_hex(4)}")
        old = sql.Identifier(self.name)
        with self._server() as cursor:
            self._create_like_old(cursor, draft)
            try:
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(old))
            except psycopg.Error as error:
                cursor.execute(sql.SQL("DROP DATABASE {}").format(draft))
                raise Refused(first_line(error)) from error
            cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, old))

    def _create_like_old(self, cursor: Any, name: sql.Identifier) -> None:
        cursor.execute(SHAPE, [self.name])
        shape = cursor.fetchone()
        statement = sql.SQL("CREATE DATABASE {}").format(name)
        if shape:
            owner, *locale = shape
            like = sql.SQL(" OWNER {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}")
            statement += like.format(sql.Identifier(owner), *map(sql.Literal, locale))
        try:
            cursor.execute(statement)
        except psycopg.Error as error:
            raise Refused(first_line(error)) from error

    def _exists(self, cursor: Any) -> bool:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
        return cursor.fetchone() is not None

    def _inventory(self) -> tuple[int, set[str]]:
        with self.connection.cursor() as cursor:
            cursor.execute(RELATIONS)
            (relations,) = cursor.fetchone()
            cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
            (known,) = cursor.fetchone()
            if known:
                cursor.execute("SELECT DISTINCT app FROM django_migrations")
            apps = {app for (app,) in cursor.fetchall()} if known else set()
        self.connection.close()
        return relations, apps

    def _check_unused(self, cursor: Any) -> None:
        deadline = time.monotonic() + CLOSING_SECONDS
        while (names := self._sessions(cursor)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if names:
            raise Refused(f"{len(names)} other connections are open ({', '.join(sorted(set(names)))}); stop them first")

    def _sessions(self, cursor: Any) -> list[str]:
        cursor.execute(SESSIONS, [self.name])
        return [name for (name,) in cursor.fetchall()]

    def _check_server(self) -> None:
        """Checks the connected host, not the configured name: libpq has other sources for it than the settings."""
        if not is_own_host(self._host, self._address):
            raise Refused(f"its server is {self._host}, neither on this machine nor compose's {COMPOSE_SERVICE}")

    @contextmanager
    def _server(self) -> Iterator[Any]:
        self.connection.close()
        server = self.connection.copy()
        server.settings_dict["NAME"] = "postgres"
        try:
            server.ensure_connection()
            link: Any = server.connection
            self._host, self._address = link.info.host, link.info.hostaddr
            # psycopg's own cursor: Django's would rewrite its errors.
            with link.cursor() as cursor:
                yield cursor
        except OperationalError as error:
            raise Refused(f"no connection: {first_line(error)}") from error
        finally:
            server.close()


def is_own_host(host: str, address: str) -> bool:
    """`host` as connected to, a name or a socket's folder; `address` is its IP, empty for a socket."""
    if not address:
        return host.startswith(("/", "@"))
    place = ip_address(address)
    return place.is_loopback or (host == COMPOSE_SERVICE and place.is_private)


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
