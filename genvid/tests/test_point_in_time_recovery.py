"""Point-in-time recovery as docs/backups.md describes it: a base backup, archived WAL, and a mistake that is undone."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from genvid.tests.binaries import find_postgres
from genvid.tests.services import Postgres, make_folder

pytestmark = [pytest.mark.slow, pytest.mark.drill]
PATIENCE = 300.0


def ask(server: Postgres, *statements: str) -> Any:
    """The first value that the last of the statements returns."""
    found = None
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres", autocommit=True) as link:
        for statement in statements:
            cursor = link.execute(statement)
            found = cursor.fetchone()[0] if cursor.description else None
    return found


def wait_for(server: Postgres, condition: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ask(server, f"SELECT {condition}"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = make_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def archive(folder) -> Path:
    made = folder / "wal"
    made.mkdir()
    made.chmod(0o777)
    return made


@pytest.fixture
def server(folder, archive) -> Iterator[Postgres]:
    copy = f"archive_command=test ! -f {archive}/%f && cp %p {archive}/%f"
    flags = ("wal_level=replica", "archive_mode=on", copy, "fsync=on", "full_page_writes=on")
    (folder / "live").mkdir()
    (folder / "live").chmod(0o777)
    if not (find_postgres() / "pg_basebackup").exists():
        pytest.skip("this PostgreSQL came without pg_basebackup")
    with Postgres(folder / "live", flags=flags) as postgres:
        yield postgres.start()


def base_backup(server: Postgres, target: Path) -> None:
    line = [str(server.binaries / "pg_basebackup"), "-h", str(server.socket), "-U", "postgres", "-D", str(target)]
    made = subprocess.run(
        [*line, "--checkpoint=fast", "--wal-method=none", "--no-sync"],
        preexec_fn=server.drop,
        cwd=target.parent,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr


def recovered(server: Postgres, place: Path, archive: Path, until: object) -> Postgres:
    """A server on the base backup, before it is started."""
    again = Postgres(place, server.binaries)
    again.drop = server.drop
    again.socket.mkdir()
    again.socket.chmod(0o777)
    settings = {"restore_command": f"cp {archive}/%f %p", "recovery_target_time": until}
    settings |= {"recovery_target_action": "promote", "archive_mode": "off"}
    with (again.data / "postgresql.auto.conf").open("a") as written:
        written.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    shutil.copy2(again.data / "PG_VERSION", again.data / "recovery.signal")
    shutil.chown(again.data / "recovery.signal", *_owner(again.data))
    return again


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_a_dropped_table_comes_back_with_what_was_written_until_the_mistake(server, folder, archive):
    ask(server, "CREATE TABLE ledger (entry text)", "INSERT INTO ledger VALUES ('before the base backup')")
    place = folder / "again"
    place.mkdir()
    place.chmod(0o777)
    base_backup(server, place / "data")
    until = ask(server, "INSERT INTO ledger VALUES ('after it')", "SELECT clock_timestamp()")
    ask(server, "INSERT INTO ledger VALUES ('the mistake')", "DROP TABLE ledger")
    segment = ask(server, "SELECT pg_walfile_name(pg_switch_wal())")
    wait_for(server, f"last_archived_wal >= '{segment}' FROM pg_stat_archiver")
    server.crash()
    shutil.rmtree(server.data)

    with recovered(server, place, archive, until) as again:
        again.resume()
        wait_for(again, "NOT pg_is_in_recovery()")
        told = ask(again, "SELECT string_agg(entry, ', ' ORDER BY entry) FROM ledger")
        assert told == "after it, before the base backup"
        # It takes orders again.
        assert ask(again, "INSERT INTO ledger VALUES ('new')", "SELECT count(*) FROM ledger") == 3
