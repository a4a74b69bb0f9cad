"""The settings, loaded in a process of their own."""

import re
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
        timeout=900,
    )


@pytest.mark.parametrize("given", [None, ""])
def test_a_missing_or_empty_secret_is_named_in_one_line(tmp_path, given):
    environment = {"SECRET_KEY": "s" * 50} | ({} if given is None else {"SALT_KEY": given})
    loaded = load_settings(tmp_path, **environment)
    assert loaded.returncode == 1
    assert re.fullmatch(
        r"genvid: SALT_KEY[: ].*\(in the environment or in \.env; docs/configuration\.md\)\.\n", loaded.stderr
    )


def test_without_a_secret_key_one_line_says_where_one_was_looked_for(tmp_path):
    loaded = load_settings(tmp_path, SALT_KEY="salt")
    assert loaded.returncode == 1
    assert re.fullmatch(
        rf"genvid: SECRET_KEY is not set: .*{re.escape(str(tmp_path))}/\.env.*GENVID_VAR=.*\n", loaded.stderr
    )


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("-m", "celery", "-A", "genvid", "inspect", "ping"),
        ("-m", "celery", "-A", "genvid", "beat"),
        ("-c", "import genvid.asgi"),
        ("-c", "import genvid.wsgi"),
    ],
    ids=" ".join,
)
def test_each_program_says_a_malformed_value_in_one_line_and_ends(tmp_path, command):
    environment = {"GENVID_VAR": str(tmp_path), "PATH": "/usr/bin:/bin", **SOUND, "RATE_LIMITS": "yess"}
    ended = subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "genvid: RATE_LIMITS: 'yess' is not usable: write on or off "
        "(in the environment or in .env; docs/configuration.md).\n"
    )


def test_secrets_come_from_files(tmp_path):
    (tmp_path / "key").write_text("k" * 50 + "\n")
    shown = "s.SECRET_KEY, s.SIMPLE_JWT['SIGNING_KEY']"
    loaded = load_settings(tmp_path, shown, SALT_KEY="salt", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "key"))
    assert loaded.stdout.split() == ["k" * 50, "k" * 50], loaded.stderr


def test_without_a_mode_the_settings_are_for_production(tmp_path):
    loaded = load_settings(tmp_path, **SOUND)
    assert loaded.stdout.split() == ["https://api.heygen.com", "True", "True", "False"], loaded.stderr


def test_embedded_settings_use_the_sandbox_and_need_no_verified_email(tmp_path):
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


def signing_key_of(folder: Path, **environment: str) -> str:
    return load_settings(folder, "s.SIMPLE_JWT['SIGNING_KEY']", **SOUND, **environment).stdout.strip()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, SOUND["SECRET_KEY"]),
        ({"JWT_SECRET": "", "JWT_SIGNING_KEY": ""}, SOUND["SECRET_KEY"]),
        ({"JWT_SECRET": "new"}, "new"),
        ({"JWT_SIGNING_KEY": "former"}, "former"),
        ({"JWT_SECRET": "new", "JWT_SIGNING_KEY": "former"}, "new"),
    ],
)
def test_tokens_are_signed_with_jwt_secret_by_either_name_or_else_the_secret_key(tmp_path, environment, expected):
    assert signing_key_of(tmp_path, **environment) == expected


CORS = "s.CORS_ALLOWED_ORIGINS, s.CORS_ALLOWED_ORIGIN_REGEXES"


def test_in_production_no_other_origin_is_allowed_until_one_is_named(tmp_path):
    assert load_settings(tmp_path, CORS, **SOUND).stdout == "[] []\n"


def test_origins_and_patterns_are_lists_separated_by_commas(tmp_path):
    given = {
        "CORS_ALLOWED_ORIGINS": "https://a.test,https://b.test",
        "CORS_ALLOWED_ORIGIN_REGEXES": "https://c,https://d",
    }
    loaded = load_settings(tmp_path, CORS, **SOUND, **given)
    assert loaded.stdout == "['https://a.test', 'https://b.test'] ['https://c', 'https://d']\n", loaded.stderr


LOOPBACK = [
    "http://localhost",
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
    "https://localhost:3000",
]
ELSEWHERE = [
    "http://localhost.example.com",
    "http://localhost:3000.example.com",
    "http://127.0.0.1.example.com:80",
    "http://127.0.0.10",
    "http://192.0.2.1:3000",
    "https://example.com",
    "ftp://localhost",
    "http://127a0b0c1",
    "null",
]


def test_embedded_every_origin_on_loopback_is_allowed_and_no_other(tmp_path):
    loaded = load_settings(tmp_path, "s.CORS_ALLOWED_ORIGIN_REGEXES[0]", **SOUND, GENVID_EMBEDDED="1")
    pattern = re.compile(loaded.stdout.strip())
    assert [origin for origin in [*LOOPBACK, *ELSEWHERE] if pattern.fullmatch(origin)] == LOOPBACK


MODE = "s.EMBEDDED, s.PORT, s.SANDBOX_PORT"
WRITTEN = "SECRET_KEY=from-the-folder\nSALT_KEY=salt\nGENVID_EMBEDDED=1\n"


def installation_of_make_run(folder: Path) -> None:
    (folder / ".env").write_text(WRITTEN)
    (folder / "run.env").write_text("PORT=18000\nSANDBOX_PORT=18001\n")


def test_the_installation_of_make_run_is_embedded_and_on_its_own_ports(tmp_path):
    installation_of_make_run(tmp_path)
    loaded = load_settings(tmp_path, MODE)
    assert loaded.stdout.strip() == "True 18000 18001", loaded.stderr


def test_the_environment_goes_before_what_make_run_wrote(tmp_path):
    installation_of_make_run(tmp_path)
    loaded = load_settings(tmp_path, MODE, GENVID_EMBEDDED="0", PORT="9")
    assert loaded.stdout.strip() == "False 9 18001", loaded.stderr


def test_a_secret_key_of_ones_own_is_production_even_in_a_folder_that_make_run_left(tmp_path):
    installation_of_make_run(tmp_path)
    loaded = load_settings(tmp_path, MODE, **SOUND)
    assert loaded.stdout.strip() == "False 8000 8001", loaded.stderr
