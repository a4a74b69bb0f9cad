"""The first deployment of docs/production.md, walked: its commands run one after another, with real neighbours."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genvid.sandbox.process import SandboxProcess
from genvid.tests.services import Postgres, Redis, make_folder
from genvid.tests.test_settings_found import FILLED_IN, example

ROOT = Path(__file__).resolve().parents[2]
STAFF = "you@example.com"
pytestmark = pytest.mark.slow


def commands() -> list[list[str]]:
    """What the block calls with manage.py, in its order, after the migration that compose runs."""
    page = (ROOT / "docs" / "production.md").read_text()
    block = re.search(r"## First deployment\n\n```sh\n(.*?)```", page, flags=re.DOTALL)
    assert block
    return [["migrate", "--noinput"], *(found.split() for found in re.findall(r"manage\.py ([\w @.-]+)", block[1]))]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    folder = make_folder()
    key = FILLED_IN["HEYGEN_API_KEY"]
    with (
        Postgres(folder).start() as postgres,
        Redis(folder).start() as redis,
        SandboxProcess(folder / "sandbox", renderer="clip", api_key=key) as sandbox,
    ):
        yield {
            **example(),
            **FILLED_IN,
            "PATH": "/usr/bin:/bin",
            "GENVID_VAR": str(folder / "var"),
            "DATABASE_URL": f"postgres://postgres@/{postgres.socket}/postgres",
            "REDIS_URL": redis.url,
            # The world outside: nobody on the internet is asked.
            "HEYGEN_BASE_URL": sandbox.url,
            "STRIPE_API_HOST": sandbox.url,
            "DJANGO_SUPERUSER_PASSWORD": "a-long-enough-passphrase",
        }


def test_the_commands_of_the_first_deployment_work_one_after_another(environment):
    walked = []
    for name, *words in commands():
        if name == "createsuperuser":
            words = ["--noinput", "--email", STAFF]
        if name == "doctor":
            words = [f"--only={part}" for part in ("database", "migrations", "redis", "storage", "heygen", "stripe")]
        ended = subprocess.run(
            [sys.executable, "manage.py", name, *words],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert ended.returncode == 0, (name, ended.stdout, ended.stderr)
        walked.append(name)
    assert walked == [
        *("migrate", "check", "createsuperuser", "enroll_totp", "sync_avatars", "register_heygen_webhook"),
        *("setup_stripe", "doctor"),
    ]
