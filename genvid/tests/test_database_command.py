"""scripts/db.sh and `manage.py database`, as processes: with and without a terminal, SQLite and PostgreSQL, and every
refusal.
"""

import fcntl
import os
import pty
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from genvid.own_database import own_database
from genvid.tests.processes import current_database_url
from genvid.tests.site import ROOT, EmbeddedSite, clean_environment

pytestmark = pytest.mark.slow
LIVE = f"sk_live_{'a' * 24}"


class Installation:
    """A bare folder, and what scripts/db.sh says about it."""

    def __init__(self, var: Path, database_url: str = "") -> None:
        self.var = var
        self.environment = clean_environment() | {"GENVID_VAR": str(var)}
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def run(self, *words: str, stdin: int = subprocess.DEVNULL, **environment: str) -> subprocess.CompletedProcess[str]:
        line = [str(ROOT / "scripts" / "db.sh"), *words]
        given = self.environment | environment
        return subprocess.run(line, env=given, stdin=stdin, capture_output=True, text=True, timeout=580)

    def refusal(self, *words: str, stdin: int = subprocess.DEVNULL, **environment: str) -> str:
        """Why nothing was changed."""
        done = self.run(*words, stdin=stdin, **environment)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, line.endswith(". Nothing was changed.")) == (1, True), line
        return line


@pytest.fixture
def installation(tmp_path) -> Installation:
    """An installation with its own database and a row in it."""
    var = tmp_path / "var"
    var.mkdir()
    with closing(sqlite3.connect(var / "genvid.sqlite3", isolation_level=None)) as link:
        link.execute("CREATE TABLE django_migrations (app text)")
        for app in ("accounts", "avatars", "billing", "videos"):
            link.execute("INSERT INTO django_migrations VALUES (?)", [app])
    return Installation(var)


@pytest.fixture
def answer() -> Iterator[int]:
    """A terminal on which somebody typed `no`."""
    ours, theirs = pty.openpty()
    os.write(ours, b"no\n")
    yield theirs
    os.close(ours)
    os.close(theirs)


def rows(installation: Installation) -> int:
    with closing(sqlite3.connect(installation.var / "genvid.sqlite3")) as link:
        return int(link.execute("SELECT count(*) FROM django_migrations").fetchone()[0])


def test_without_a_terminal_a_reset_wants_yes_said_before(installation):
    assert "there is no terminal to ask on; --yes goes on without" in installation.refusal("reset")
    assert rows(installation) == 4


def test_a_reset_that_is_answered_with_no_changes_nothing(installation, answer):
    assert "the answer was not yes" in installation.refusal("reset", stdin=answer)
    assert rows(installation) == 4


@pytest.mark.parametrize("key", [LIVE, LIVE.replace("sk_", "rk_")])
def test_with_a_live_stripe_key_nothing_is_reset(installation, key):
    assert "real money hangs on it" in installation.refusal("reset", "--yes", STRIPE_SECRET_KEY=key)
    assert rows(installation) == 4


def test_while_make_run_runs_nothing_is_reset(installation):
    with (installation.var / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert f"`make run` is running on {installation.var}" in installation.refusal("reset", "--yes")
    assert rows(installation) == 4


def test_an_unknown_action_is_refused_with_the_two_known_ones(tmp_path):
    done = Installation(tmp_path / "var").run("drop")
    assert (done.returncode, done.stderr.splitlines()[0].split()[:3]) == (2, ["usage:", "scripts/db.sh", "setup"])
    assert not (tmp_path / "var").exists()


def check_migrated(done: subprocess.CompletedProcess[str], label: str) -> None:
    """What a reset says: what was dropped, what stays, and every migration that was applied."""
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("genvid: ", "setup: "))]
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in lines[:2]] == ["Dropped", "Kept"]
    start = lines.index(f"Database: {label}") + 1
    applied = [line for line in lines[start:] if line.startswith("  ")]
    assert "  videos.0001_initial" in applied
    assert lines[-1] == f"Applied: these {len(applied)} migrations."


def test_a_reset_on_sqlite_makes_the_database_anew_and_forgets_what_followed_from_it(installation):
    var = installation.var
    for name in ("prepared", "broker.sqlite3", "broker.sqlite3-wal"):
        (var / name).write_text("")
    (var / "media").mkdir()
    (var / "media" / "film.mp4").write_text("kept")

    check_migrated(installation.run("reset", "--yes"), f"SQLite, {var}/genvid.sqlite3")

    assert rows(installation) > 30
    left = {path.name for path in var.iterdir()}
    assert left & {"prepared", "broker.sqlite3", "broker.sqlite3-wal", "media", ".env"} == {"media", ".env"}
    assert (var / "media" / "film.mp4").read_text() == "kept"


def test_a_database_that_has_everything_is_left_alone_by_setup(tmp_path):
    with EmbeddedSite.prepared(tmp_path / "var") as site:
        done = Installation(site.folder).run("setup")
    assert done.returncode == 0, done.stderr
    database, verdict = done.stdout.splitlines()
    assert database == f"Database: SQLite, {tmp_path}/var/genvid.sqlite3"
    assert verdict.startswith("Nothing to apply: it has all ")


@pytest.mark.django_db(transaction=True)
def test_a_reset_on_postgresql_makes_the_database_anew(tmp_path, worker_id):
    name = f"genvid_by_command_{worker_id}"
    url = urlsplit(current_database_url())
    own = url._replace(path=f"{url.path.rpartition('/')[0]}/{name}").geturl()
    link = connection.copy()
    link.settings_dict["NAME"] = name
    try:
        label = own_database(link).label
        check_migrated(Installation(tmp_path / "var", own).run("reset", "--yes"), label)
        assert "videos_video" in link.introspection.table_names()
    finally:
        link.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
