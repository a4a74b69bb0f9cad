"""The settings, loaded in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOUND = {"SECRET_KEY": "s" * 50, "SALT_KEY": "salt"}


MODES = "s.HEYGEN_BASE_URL, s.REQUIRE_VERIFIED_EMAIL, s.REQUIRE_STAFF_TOTP, s.DEBUG"
STRIPE = "s.STRIPE_API_HOST, bool(s.STRIPE_SECRET_KEY), s.STRIPE_LIVE_MODE"
LIVE, TEST = f"rk_live_{'a' * 24}", f"sk_test_{'a' * 24}"


def load_settings(folder: Path, shown: str = MODES, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a new, empty installation in `folder` would."""
    return subprocess.run(
        [sys.executable, "-c", f"import genvid.settings as s;print({shown})"],
        env={"GENVID_VAR": str(folder), "PATH": "/usr/bin:/bin", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
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


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "https://api.stripe.com False False"),
        ({"STRIPE_SECRET_KEY": TEST}, "https://api.stripe.com True False"),
        ({"STRIPE_SECRET_KEY": LIVE}, "https://api.stripe.com True True"),
        ({"GENVID_EMBEDDED": "1", "SANDBOX_PORT": "8123"}, "http://127.0.0.1:8123 True False"),
        ({"GENVID_EMBEDDED": "1", "STRIPE_SECRET_KEY": TEST}, "https://api.stripe.com True False"),
        ({"STRIPE_SECRET_KEY": TEST, "STRIPE_API_HOST": "http://localhost:9/"}, "http://localhost:9 True False"),
    ],
)
def test_stripe_is_the_sandbox_only_where_nobody_gave_a_key(tmp_path, environment, expected):
    loaded = load_settings(tmp_path, STRIPE, **SOUND, **environment)
    assert loaded.stdout.strip() == expected, loaded.stderr


def test_each_kind_of_key_is_told_apart(tmp_path):
    shown = "s.STRIPE_TEST_SECRET_KEY, s.STRIPE_LIVE_SECRET_KEY"
    loaded = load_settings(tmp_path, shown, **SOUND, STRIPE_SECRET_KEY=LIVE)
    assert loaded.stdout == f" {LIVE}\n", loaded.stderr
