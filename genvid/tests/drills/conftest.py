"""The release before this one, and an empty database for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from genvid.tests import plugin
from genvid.tests.drills.programs import server
from genvid.tests.previous_release import NoHistory, unpack
from genvid.tests.processes import database_url


@pytest.fixture
def previous_code(tmp_path: Path) -> Path:
    """The folder with the code of the release before. CI must have it, a developer's shallow clone need not."""
    try:
        return unpack(tmp_path / "code")
    except NoHistory as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def database_name(worker_id: str) -> str:
    """The drill's own database. The processes of one test run share a server, so the name is the process's."""
    return f"genvid_upgrade_{worker_id}"


@pytest.fixture
def empty_database(database_name: str) -> Iterator[str]:
    """The URL of a database of its own, which is dropped in the end."""
    plugin.start_postgres()
    plugin.start_redis()
    with server("postgres", autocommit=True) as admin:
        _drop(admin, database_name)
        admin.execute(f"CREATE DATABASE {database_name}")
        yield database_url(database_name)
        _drop(admin, database_name)


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
