"""Settings that are wrong without a program that stops: `check --deploy` or `doctor` names each of them.

Every case starts the real command in a process of its own, with `.env.example` filled in as an operator would.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from genvid.tests.services import Postgres, Redis, make_folder

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "right"
FILLED_IN = {
    "SECRET_KEY": "only-for-this-test-" * 4,
    "SALT_KEY": "another-key-of-this-test-" * 2,
    "POSTGRES_PASSWORD": PASSWORD,
    "HEYGEN_API_KEY": "a-key",
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdefABCDEF01",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "ALARM_EMAILS": "staff@example.com",
}
"""What the first block of .env.example leaves empty."""


class Neighbours(NamedTuple):
    folder: Path
    database_url: str
    redis_url: str


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Neighbours]:
    """A PostgreSQL that asks for a password, and a Redis."""
    folder = make_folder()
    rules = folder / "pg_hba.conf"
    rules.write_text("local all postgres trust\nlocal all genvid scram-sha-256\n")
    rules.chmod(0o644)
    with Postgres(folder, flags=(f"hba_file={rules}",)) as postgres, Redis(folder) as redis:
        postgres.start()
        redis.start()
        with psycopg.connect(host=str(postgres.socket), user="postgres", dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE ROLE genvid LOGIN PASSWORD '{PASSWORD}'")
            server.execute("CREATE DATABASE genvid OWNER genvid")
        yield Neighbours(folder, f"postgres://genvid:{PASSWORD}@/{postgres.socket}/genvid", redis.url)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def run(neighbours: Neighbours, *words: str, **changes: str | None) -> tuple[int, str]:
    given: dict[str, str | None] = {
        **example(),
        **FILLED_IN,
        "PATH": os.defpath,
        "GENVID_VAR": str(neighbours.folder / "var"),
        "DATABASE_URL": neighbours.database_url,
        "REDIS_URL": neighbours.redis_url,
        **changes,
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        env={name: value for name, value in given.items() if value is not None},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


def test_the_filled_in_example_is_what_an_operator_has_to_write(neighbours):
    assert {name for name, value in example().items() if not value} == set(FILLED_IN)


def test_the_filled_in_example_has_no_finding(neighbours):
    code, said = run(neighbours, "check", "--deploy")
    assert (code, "genvid." in said) == (0, False), said


def test_the_filled_in_example_reaches_its_database_and_redis(neighbours):
    code, said = run(neighbours, "doctor", "--only", "database", "--only", "redis")
    assert (code, [line.split()[:2] for line in said.splitlines()]) == (0, [["database", "ok"], ["redis", "ok"]]), said


CHECK = ("check", "--deploy")
HERE = {"PUBLIC_URL": "https://127.0.0.1:9"}
"""For the part that looks at the certificate of PUBLIC_URL: nobody on the internet is asked."""
BROKEN = "postgres://genvid:p@#ss@postgres:5432/genvid"


def doctor(part: str) -> tuple[str, ...]:
    return ("doctor", "--only", part)


@pytest.mark.parametrize(
    ("changes", "command", "code", "told"),
    [
        ({"SALT_KEY": ""}, CHECK, 1, "SALT_KEY: its value is not usable: write keys"),
        ({"SALT_KEY": None}, CHECK, 1, "SALT_KEY is not set"),
        ({"SALT_KEY": "short"}, CHECK, 1, "(genvid.E030) SALT_KEY is shorter than 32 characters"),
        ({"SALT_KEY": "short"} | HERE, doctor("settings"), 1, "genvid.E030: SALT_KEY is shorter than 32 characters"),
        ({"DATABASE_URL": "wrong"}, doctor("database"), 1, "refuses user or password of DATABASE_URL"),
        (
            {"DATABASE_URL": "postgres://genvid:right@nowhere.invalid:5432/genvid"},
            doctor("database"),
            1,
            "The host of DATABASE_URL is unknown here",
        ),
        ({"DATABASE_URL": BROKEN}, CHECK, 1, "DATABASE_URL: its value is not usable"),
        ({"DATABASE_URL": BROKEN}, doctor("database"), 1, "percent-encoded (%40, %23"),
        ({"POSTGRES_PASSWORD": "p@#ss"}, CHECK, 1, "(genvid.E015) POSTGRES_PASSWORD: its value is not usable"),
        ({"REDIS_URL": "redis://127.0.0.1:9/0"}, doctor("redis"), 1, "Check REDIS_URL and that Redis runs"),
        ({"ALLOWED_HOSTS": "other.example.com"}, CHECK, 1, "(genvid.E021) ALLOWED_HOSTS lacks genvid.example.com"),
        ({"RATE_LIMITS": "yess"}, CHECK, 1, "RATE_LIMITS: 'yess' is not usable: write on or off"),
        ({"EMAIL_URL": ""}, CHECK, 1, "(genvid.E023) EMAIL_URL is empty"),
        ({"EMAIL_URL": ""}, doctor("mail"), 1, "Set EMAIL_URL"),
        (
            {"S3_BUCKET": "films", "S3_REGION": "eu-central-1"},
            CHECK,
            0,
            "(genvid.W009) S3_BUCKET is set without AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (
            {
                "S3_BUCKET": "films",
                "S3_ENDPOINT_URL": "http://127.0.0.1:9",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            doctor("storage"),
            1,
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY not set",
        ),
        ({"ALARM_EMAILS": ""}, CHECK, 0, "(genvid.W010) ALARM_EMAILS is empty"),
        (
            {"HEYGEN_MAX_CONCURENT": "3"},
            CHECK,
            0,
            "HEYGEN_MAX_CONCURENT in the environment is read by nothing; HEYGEN_MAX_CONCURRENT is meant, perhaps.",
        ),
        (
            {"TEST_RENDERER_URL": "http://127.0.0.1:9", "HEYGEN_BASE_URL": "http://127.0.0.1:9"},
            doctor("heygen"),
            1,
            "nobody answers at TEST_RENDERER_URL http://127.0.0.1:9",
        ),
        ({"WAITING_THREADS": "2"}, CHECK, 1, "(genvid.E031) WAITING_THREADS is 2 of 2 GRANIAN_BLOCKING_THREADS"),
        (
            {"WAITING_THREADS": "4", "GRANIAN_BLOCKING_THREADS": "4"} | HERE,
            doctor("settings"),
            1,
            "genvid.E031: WAITING_THREADS is 4 of 4 GRANIAN_BLOCKING_THREADS",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named(neighbours, changes, command, code, told):
    if changes.get("DATABASE_URL") == "wrong":
        changes = {"DATABASE_URL": neighbours.database_url.replace(PASSWORD, "wrong", 1)}
    ended, said = run(neighbours, *command, **changes)
    assert (ended, told in said) == (code, True), said
