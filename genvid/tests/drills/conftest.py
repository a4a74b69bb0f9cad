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

DATABASE = "genvid_upgrade"


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
def empty_database() -> Iterator[str]:
    """The URL of a database of its own, which is dropped in the end."""
    plugin.start_postgres()
    plugin.start_redis()
    with server("postgres", autocommit=True) as admin:
        _drop(admin)
        admin.execute(f"CREATE DATABASE {DATABASE}")
        yield database_url(DATABASE)
        _drop(admin)


def _drop(admin: psycopg.Connection) -> None:
    admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
