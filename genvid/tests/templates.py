"""A database with empty tables to copy test databases from: made once for each state of the models.

Its name is the hash of the statements that made it, so a model that changes makes another one. Django's own way takes
a CREATE TABLE and its indexes for a hundred models in every process of every run.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, router
from django.db.models import Model
from psycopg import sql

from genvid.management.commands import migrate

PREFIX = "genvid_template_"


def prepare() -> str:
    """The template's name. One process makes it, the others wait; those of other states of the models are dropped."""
    statements = table_statements()
    name = name_of(statements)
    lock = Path(os.environ["GENVID_TEST_FOLDER"]) / "template.lock"
    with lock.open("w") as held, _connect("postgres") as server:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = [row[0] for row in server.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", [PREFIX])]
        if name not in found:
            for other in found:
                server.execute(_on("DROP DATABASE {}", other))
            _make(server, name, statements)
    return name


@contextmanager
def copies() -> Iterator[None]:
    """Meanwhile test databases are copies, and migrating one is only what follows a migration: permissions, seeds."""
    connection.settings_dict["TEST"]["TEMPLATE"] = prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate.Command, "handle", _follow_up)
        yield


def _follow_up(_: migrate.Command, *args: str, database: str, **options: Any) -> None:
    emit_post_migrate_signal(verbosity=0, interactive=False, db=database)


def name_of(statements: list[str]) -> str:
    return PREFIX + hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]


def table_statements(models: Iterable[type[Model]] = ()) -> list[str]:
    """What `migrate --run-syncdb` would execute without migrations, for these models or all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "compose_sql", _with_literals)
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            for model in models or _all_models():
                editor.create_model(model)
    return [str(statement) for statement in editor.collected_sql]


def _with_literals(statement: str, params: Iterable[Any] | None) -> str:
    """The statement with its values written out. Django's own asks the server, to which there is no connection yet."""
    values = [sql.Literal(value).as_string(None) for value in params or ()]
    return statement % tuple(values) if values else statement


def _all_models() -> list[type[Model]]:
    return [
        model
        for app in apps.get_app_configs()
        for model in router.get_migratable_models(app, connection.alias)
        if model._meta.can_migrate(connection)
    ]


def _make(server: psycopg.Connection, name: str, statements: list[str]) -> None:
    """Under another name until it is whole: a run that is killed leaves no half of it."""
    draft = f"{PREFIX}draft"
    server.execute(_on("CREATE DATABASE {}", draft))
    with _connect(draft) as database:
        database.execute("\n".join(statements).encode())
    server.execute(_on("ALTER DATABASE {} RENAME TO {}", draft, name))


def _on(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _connect(name: str) -> psycopg.Connection[Any]:
    given = connection.settings_dict
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {key: given[setting] for key, setting in keys.items() if given[setting]}
    return psycopg.connect(**where, dbname=name, autocommit=True)
