"""scripts/backup.sh and restore.sh against a real PostgreSQL: round trips, encryption, refusals, retention."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from genvid.tests.binaries import find_postgres
from genvid.tests.services import Postgres, make_folder
from genvid.tests.site import ROOT, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.drill]
NEEDED = {"SECRET_KEY": "of-the-drill-0123456789-0123456789-0123456789-0123", "SALT_KEY": "of-the-drill"}
NEEDED |= {"HEYGEN_API_KEY": "secret-of-heygen", "STRIPE_SECRET_KEY": "sk_test_0123456789abcdefABCDEF01"}
NEEDED |= {"REDIS_URL": "redis://127.0.0.1:9/0", "PUBLIC_URL": "https://videos.example", "DEBUG": "0"}
NEEDED |= {"ALLOWED_HOSTS": "videos.example"}


class Site:
    """A database of its own on the server, and a media folder."""

    def __init__(self, server: Postgres, folder: Path, name: str) -> None:
        self.server, self.name, self.var = server, name, folder / name
        self.media = self.var / "media"
        self.media.mkdir(parents=True)
        with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres", autocommit=True) as link:
            link.execute(f'CREATE DATABASE "{name}"')
        path = f"{server.binaries}:{os.environ['PATH']}"
        url = f"postgres://postgres@/{server.socket}/{name}"
        self.environment = (
            clean_environment() | NEEDED | {"GENVID_VAR": str(self.var), "DATABASE_URL": url, "PATH": path}
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        given = self.environment | environment
        return subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, timeout=500)

    def script(self, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(ROOT / "scripts" / name), *words, **environment)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(host=str(self.server.socket), user="postgres", dbname=self.name) as link:
            return link.execute(query).fetchall()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    folder = make_folder()
    try:
        with Postgres(folder, find_postgres()) as postgres:
            yield postgres.start()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def site(server, tmp_path_factory) -> Site:
    """Migrated, with a customer and a stored file."""
    made = Site(server, tmp_path_factory.mktemp("site"), "live")
    migrated = made.run(".venv/bin/python", "manage.py", "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="live") as link:
        link.execute(
            "INSERT INTO accounts_account (id, name, created_at) VALUES (gen_random_uuid(), 'Olive Films', now())"
        )
    (made.media / "videos").mkdir()
    (made.media / "videos" / "video.mp4").write_bytes(b"a film")
    return made


@pytest.fixture
def empty(server, tmp_path, request) -> Iterator[Site]:
    made = Site(server, tmp_path, "restored")
    yield made
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres", autocommit=True) as link:
        link.execute("DROP DATABASE restored WITH (FORCE)")


def backup(site: Site, folder: Path, *words: str, **environment: str) -> Path:
    done = site.script("backup.sh", str(folder), *words, **environment)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.removeprefix("backup: ").rpartition(" (")[0])


def restored_names(site: Site) -> list[object]:
    return [name for (name,) in site.rows("SELECT name FROM accounts_account")]


def test_a_backup_brings_database_and_media_back(site, empty, tmp_path):
    made = backup(site, tmp_path / "kept", "--unencrypted")
    assert sorted(each.name for each in made.iterdir()) == ["SHA256SUMS", "database.dump", "media.tar", "settings.env"]
    done = empty.script("restore.sh", str(made))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "ledger: The ledger proves" in done.stdout
    assert restored_names(empty) == ["Olive Films"]
    assert (empty.media / "videos" / "video.mp4").read_bytes() == b"a film"


def test_a_backup_holds_settings_and_no_secret(site, tmp_path):
    told = (backup(site, tmp_path / "kept", "--unencrypted") / "settings.env").read_text()
    assert "PUBLIC_URL=https://videos.example\n" in told
    secrets = ("SECRET_KEY", "SALT_KEY", "HEYGEN_API_KEY", "STRIPE_SECRET_KEY", "DATABASE_URL")
    assert [name for name in secrets if name in told] == []
    assert "of-the-drill" not in told


@pytest.fixture(scope="module")
def gpg_home(tmp_path_factory) -> Iterator[dict[str, str]]:
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    # gpg-agent's socket does not fit into a long path.
    home = make_folder() / "gpg"
    home.mkdir(mode=0o700)
    environment = {"GNUPGHOME": str(home)}
    line = [
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-gen-key",
        "backup@videos.example",
        "default",
        "default",
        "never",
    ]
    subprocess.run(line, env=os.environ | environment, check=True, capture_output=True)
    yield environment
    subprocess.run(["gpgconf", "--kill", "all"], env=os.environ | environment, check=False)
    shutil.rmtree(home.parent, ignore_errors=True)


def test_an_encrypted_backup_is_unreadable_and_comes_back_with_the_key(site, empty, tmp_path, gpg_home):
    made = backup(site, tmp_path / "kept", "--key", "backup@videos.example", **gpg_home)
    assert {each.suffix for each in made.iterdir()} == {".gpg", ""}
    assert not any(b"Olive Films" in each.read_bytes() or b"a film" in each.read_bytes() for each in made.iterdir())
    without = empty.script("restore.sh", str(made), GNUPGHOME=str(tmp_path))
    assert (without.returncode, "cannot be decrypted. Nothing was changed." in without.stderr) == (1, True)
    done = empty.script("restore.sh", str(made), **gpg_home)
    assert (done.returncode, restored_names(empty)) == (0, ["Olive Films"]), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a public key"),
        (("--key", "nobody@videos.example"), "gpg knows no public key nobody@videos.example"),
        (("--unencrypted", "--key", "x"), "exclude each other"),
        (("--unencrypted", "--keep", "soon"), "--keep wants a number of days"),
        pytest.param(
            ("--key", "age1xyz"),
            "age is not installed",
            marks=pytest.mark.skipif(bool(shutil.which("age")), reason="age is installed"),
        ),
    ],
)
def test_a_backup_is_refused(site, tmp_path, words, said):
    done = site.script("backup.sh", str(tmp_path / "kept"), *words)
    assert (done.returncode, said in done.stderr, (tmp_path / "kept").exists()) == (1, True, False), done.stderr


def test_a_failed_dump_leaves_no_backup(site, tmp_path):
    done = site.script("backup.sh", str(tmp_path / "kept"), "--unencrypted", PG_DUMP="false")
    assert (done.returncode, list((tmp_path / "kept").iterdir())) == (1, [])


def media_tar(folder: Path, site: Site, rest: str) -> str:
    """A command in the place of `docker compose exec … tar`."""
    command = folder / "media_tar"
    command.write_text(f"#!/bin/sh\ntar -C {site.media} -cf - . {rest}\n")
    command.chmod(0o755)
    return str(command)


def test_a_backup_goes_on_where_files_came_and_went_meanwhile(site, tmp_path):
    """Then tar's exit code is 1."""
    made = backup(site, tmp_path / "kept", "--unencrypted", MEDIA_TAR=media_tar(tmp_path, site, "; exit 1"))
    listed = subprocess.run(["tar", "-tf", made / "media.tar"], capture_output=True, text=True, check=True).stdout
    assert listed.split() == ["./", "./videos/", "./videos/video.mp4"]


@pytest.mark.parametrize("rest", ["| :; exit 1", "| head -c 1200; exit 1", "; exit 2"])
def test_media_that_are_not_whole_leave_no_backup(site, tmp_path, rest):
    done = site.script("backup.sh", str(tmp_path / "kept"), "--unencrypted", MEDIA_TAR=media_tar(tmp_path, site, rest))
    assert (done.returncode == 0, list((tmp_path / "kept").iterdir())) == (False, [])


def test_media_of_another_machine_are_not_looked_for_here(site, empty, tmp_path):
    """A container's folder is none of the host's: an empty copy would look like a backup."""
    away = {"MANAGE": ".venv/bin/python manage.py", "GENVID_VAR": str(tmp_path / "elsewhere")}
    refused = site.script("backup.sh", str(tmp_path / "kept"), "--unencrypted", **away)
    assert (refused.returncode, "name MEDIA_TAR, or say --no-media" in refused.stderr) == (1, True)
    made = backup(site, tmp_path / "kept", "--unencrypted")
    refused = empty.script("restore.sh", str(made), **away)
    assert (refused.returncode, "name MEDIA_UNTAR, or say --no-media. Nothing" in refused.stderr) == (1, True)
    assert not (tmp_path / "elsewhere" / "media").exists()


def test_old_backups_are_deleted_and_the_newest_stays(site, tmp_path):
    kept = tmp_path / "kept"
    old = {"genvid-20200101T000000Z": 9, "genvid-20200102T000000Z": 2, "else": 9}
    for name, days in (old | {".unfinished-abc123": 9, ".unfinished-def456": 2}).items():
        (kept / name).mkdir(parents=True)
        then = kept.stat().st_mtime - days * 86_400
        os.utime(kept / name, (then, then))
    made = backup(site, kept, "--unencrypted", "--no-media", "--keep", "7")
    assert {each.name for each in kept.iterdir()} == {
        *("genvid-20200102T000000Z", "else", ".unfinished-def456"),
        made.name,
    }


def test_a_damaged_backup_is_not_restored(site, empty, tmp_path):
    made = backup(site, tmp_path / "kept", "--unencrypted")
    with (made / "database.dump").open("r+b") as dump:
        dump.seek(100)
        dump.write(b"\0\0\0\0")
    done = empty.script("restore.sh", str(made))
    assert (done.returncode, "is damaged. Nothing was changed." in done.stderr) == (1, True)
    assert empty.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_nothing_is_restored_over_a_database_with_tables(site, tmp_path):
    made = backup(site, tmp_path / "kept", "--unencrypted", "--no-media")
    done = site.script("restore.sh", str(made))
    assert (done.returncode, "restore into an empty one. Nothing was changed." in done.stderr) == (1, True)
    assert restored_names(site) == ["Olive Films"]


def test_nothing_is_restored_over_media(site, empty, tmp_path):
    made = backup(site, tmp_path / "kept", "--unencrypted")
    (empty.media / "file").write_text("mine")
    done = empty.script("restore.sh", str(made))
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)
    assert empty.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
