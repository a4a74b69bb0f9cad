"""The settings, loaded in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOUND = {"SECRET_KEY": "s" * 50, "SALT_KEY": "salt"}


def load_settings(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a new, empty installation in `folder` would."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import genvid.settings as s;"
                "print(s.HEYGEN_BASE_URL, s.REQUIRE_VERIFIED_EMAIL, s.REQUIRE_STAFF_TOTP, s.DEBUG)"
            ),
        ],
        env={"GENVID_VAR": str(folder), "PATH": "/usr/bin:/bin", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "SALT_KEY"])
def test_a_missing_secret_is_loud_and_named(tmp_path, name):
    given = {key: value for key, value in SOUND.items() if key != name}
    loaded = load_settings(tmp_path, **given)
    assert loaded.returncode == 1
    assert loaded.stderr.rstrip().splitlines()[-1].endswith(f"Set the {name} environment variable")


def test_a_number_that_is_none_is_loud(tmp_path):
    loaded = load_settings(tmp_path, **SOUND, PORT="eight thousand")
    assert (loaded.returncode, "ValueError" in loaded.stderr) == (1, True)


def test_a_limit_that_is_none_is_loud(tmp_path):
    loaded = load_settings(tmp_path, **SOUND, LOGIN_LIMIT_PER_PAIR="some")
    assert (loaded.returncode, "ValueError" in loaded.stderr) == (1, True)


def test_without_further_words_it_is_production(tmp_path):
    loaded = load_settings(tmp_path, **SOUND)
    assert loaded.stdout.split() == ["https://api.heygen.com", "True", "True", "False"], loaded.stderr


def test_embedded_it_talks_to_the_sandbox_and_lets_people_start_at_once(tmp_path):
    loaded = load_settings(tmp_path, **SOUND, GENVID_EMBEDDED="1", SANDBOX_PORT="8123")
    assert loaded.stdout.split() == ["http://127.0.0.1:8123", "False", "False", "False"], loaded.stderr
