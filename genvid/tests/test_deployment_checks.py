"""`manage.py check --deploy` reports dangerous and unlikely settings of a production site."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.checks import ERROR, run_checks

from genvid.configuration import ConfigurationError, DeclaredEnv, unread
from genvid.configuration.declared import SETTINGS
from genvid.configuration.unread import distance, unread_names

ROOT = Path(__file__).resolve().parents[2]
# dj-stripe's own checks look for endpoints without a secret.
pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings, monkeypatch, tmp_path):
    """Settings of a production site without findings."""
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://genvid.example", ["genvid.example"]
    settings.REQUIRE_STAFF_TOTP = settings.REQUIRE_VERIFIED_EMAIL = settings.RATE_LIMITS = True
    settings.ALLOW_PRIVATE_IMAGE_URLS = settings.ALLOW_PRIVATE_MEDIA_HOSTS = settings.ALLOW_PRIVATE_WEBHOOK_URLS = False
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    settings.REDIS_URL, settings.ALARM_EMAILS = "redis://127.0.0.1:6379/0", ["staff@genvid.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SALT_KEY, settings.S3_BUCKET, settings.TEST_RENDERER_URL = ["k" * 40], "", ""
    settings.BASE_DIR = settings.VAR_DIR = tmp_path
    in_environment(monkeypatch)
    return settings


def in_environment(monkeypatch, **variables: str) -> None:
    """The variables that the checks see are these alone."""
    monkeypatch.setattr("genvid.deployment_checks.os", SimpleNamespace(environ=variables))
    monkeypatch.setattr(unread, "os", SimpleNamespace(environ=variables))


def findings() -> dict[str, str]:
    """Id to sentence of our own findings, but for those of `genvid.checks`."""
    found = run_checks(include_deployment_checks=True)
    return {each.id: each.msg for each in found if each.id.startswith("genvid.")}


def test_a_sound_production_site_has_no_findings(production):
    assert findings() == {}


IN_THE_CLEAR = {"TEST_RENDERER_URL": "http://test-renderer:8001"}
ELSEWHERE = {"TEST_RENDERER_URL": "https://renderer.example"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"REQUIRE_STAFF_TOTP": False}, {"genvid.E016"}),
        ({"RATE_LIMITS": False}, {"genvid.E017"}),
        ({"REST_FRAMEWORK": {"NUM_PROXIES": 0}}, {"genvid.W005"}),
        ({"ALLOW_PRIVATE_IMAGE_URLS": True}, {"genvid.W012"}),
        ({"REQUIRE_VERIFIED_EMAIL": False}, {"genvid.W006"}),
        (ELSEWHERE | {"TEST_RENDERER_KEY": "a key of our own"}, set()),
        (ELSEWHERE | {"TEST_RENDERER_KEY": "test-key"}, {"genvid.E019"}),
        (IN_THE_CLEAR | {"TEST_RENDERER_KEY": "a key of our own"}, set()),
        (IN_THE_CLEAR | {"TEST_RENDERER_KEY": "test-key"}, {"genvid.E019"}),
        ({"TEST_RENDERER_URL": "http://127.0.0.1:8001", "TEST_RENDERER_KEY": "test-key"}, set()),
        ({"ALLOWED_HOSTS": ["*"]}, {"genvid.E020"}),
        ({"ALLOWED_HOSTS": ["other.example"]}, {"genvid.E021"}),
        ({"ALLOWED_HOSTS": []}, {"genvid.E021"}),
        ({"ALLOWED_HOSTS": [".example"]}, set()),
        ({"PUBLIC_URL": "https://[2001:db8::1]", "ALLOWED_HOSTS": ["[2001:db8::1]"]}, set()),
        ({"REDIS_URL": ""}, {"genvid.W008"}),
        ({"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}, {"genvid.E023"}),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, {"genvid.E023"}),
        ({"EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend"}, set()),
        ({"SALT_KEY": []}, {"genvid.E024"}),
        ({"SALT_KEY": [""]}, {"genvid.E024"}),
        ({"SALT_KEY": ["k" * 40, " "]}, {"genvid.E024"}),
        ({"S3_BUCKET": "films", "S3_REGION": "eu-central-1"}, {"genvid.W009"}),
        ({"ALARM_EMAILS": []}, {"genvid.W010"}),
        ({"EMBEDDED": True}, {"genvid.E025"}),
        ({"EMBEDDED": True, "PUBLIC_URL": "http://localhost:8000", "RATE_LIMITS": False}, set()),
    ],
)
def test_what_a_production_site_does_not_mean_to_have_is_named(production, changes, expected):
    for name, value in changes.items():
        setattr(production, name, value)
    assert set(findings()) == expected


def test_sqlite_outside_make_run_is_named(production, monkeypatch):
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert set(findings()) == {"genvid.W007"}


def test_a_bucket_with_its_keys_is_sound(production, monkeypatch):
    in_environment(monkeypatch, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    production.S3_BUCKET, production.S3_REGION = "films", "eu-central-1"
    assert findings() == {}


@pytest.mark.parametrize(("name", "value"), [("WEB_PORT", "eighty"), ("STREAM_PORT", "0"), ("POSTGRES_PASSWORD", " ")])
def test_a_malformed_value_that_another_program_reads_is_named_and_a_secret_is_not_shown(
    production, monkeypatch, name, value
):
    in_environment(monkeypatch, **{name: value})
    sentence = findings()["genvid.E015"]
    assert (sentence.startswith(f"{name}: "), repr(value) in sentence) == (True, not SETTINGS[name].secret)


def test_dangerous_findings_are_errors_of_one_line(production):
    production.RATE_LIMITS = production.REQUIRE_STAFF_TOTP = False
    production.ALARM_EMAILS, production.ALLOWED_HOSTS = [], ["*"]
    found = [each for each in run_checks(include_deployment_checks=True) if each.id.startswith("genvid.")]
    levels = {each.id: each.level >= ERROR for each in found}
    assert levels == {"genvid.E016": True, "genvid.E017": True, "genvid.E020": True, "genvid.W010": False}
    assert all("\n" not in str(each) for each in found)


def test_without_deploy_the_deployment_checks_are_silent(production):
    production.RATE_LIMITS = False
    assert [each.id for each in run_checks() if each.id.startswith("genvid.")] == []


# ── Names that nothing reads


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HEYGEN_MAX_CONCURENT", "HEYGEN_MAX_CONCURRENT"),
        ("HEYGEN_MAX_CONCURRENTS", "HEYGEN_MAX_CONCURRENT"),
        ("ALOWED_HOST", "ALLOWED_HOSTS"),
        ("SECERT_KEY", "SECRET_KEY"),
        ("heygen_api_key", "HEYGEN_API_KEY"),
        ("STRIPE_COLOUR", ""),
        ("GENVID_NONSENSE", ""),
    ],
)
def test_a_name_that_nothing_reads_is_named_with_what_is_meant(production, monkeypatch, name, meant):
    in_environment(monkeypatch, **{name: "1"})
    sentence = findings()["genvid.W011"]
    assert sentence == f"{name} in the environment is read by nothing" + (
        f"; {meant} is meant, perhaps." if meant else "."
    )


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LANG", "PWD", "TERM", "PORT", "SECRET_KEY_FILE", "GENVID_TEST_FOLDER", "AWS_REGION"]
)
def test_the_names_of_settings_and_of_other_programs_are_not_named(production, monkeypatch, name):
    in_environment(monkeypatch, **{name: "1"})
    assert findings() == {}


def test_unread_names_in_a_file_are_found_more_strictly_and_with_its_name(tmp_path, monkeypatch):
    in_environment(monkeypatch)
    file = tmp_path / ".env"
    file.write_text("# HEYGEN_MAX_CONCURENT=3\nexport POTR=8000\nPORT=8000\nCOLOUR = red\n\nnot a line\n")
    assert list(map(str, unread_names(file))) == [f"POTR in {file} is read by nothing; PORT is meant, perhaps."]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_missing_or_binary_env_file_has_no_unread_names(tmp_path, monkeypatch, content):
    in_environment(monkeypatch)
    file = tmp_path / ".env"
    if content is not None:
        file.write_bytes(content)
    assert unread_names(file) == []


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("abc", "abc", 0),
        ("abc", "abd", 1),
        ("abc", "ab", 1),
        ("abc", "acb", 1),
        ("", "ab", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_the_distance_of_two_names_counts_edits(one, other, edits):
    assert (distance(one, other), distance(other, one)) == (edits, edits)


# ── Malformed values


def test_every_malformed_value_is_reported_at_once(monkeypatch):
    for name, value in {"RATE_LIMITS": "yess", "CONN_MAX_AGE": "ten", "PUBLIC_URL": "genvid"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        DeclaredEnv().bool("RATE_LIMITS")
    lines = str(caught.value.code).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "RATE_LIMITS",
        *sorted(["PUBLIC_URL", "CONN_MAX_AGE"], reverse=True),
    ]


def test_check_deploy_prints_one_line_per_finding_and_no_traceback(tmp_path):
    given = {
        "PATH": "/usr/bin:/bin",
        "GENVID_VAR": str(tmp_path),
        "SECRET_KEY": "k" * 50,
        "SALT_KEY": "s" * 40,
        "PUBLIC_URL": "https://genvid.example",
        "DATABASE_URL": "sqlite:///:memory:",
        "RATE_LIMITS": "off",
        "HEYGEN_MAX_CONCURENT": "3",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--tag", "security"]
    ended = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=600)
    told = re.findall(r"^\?: \((genvid\.[EW]\d+)\) (.*)$", ended.stderr, flags=re.MULTILINE)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
    assert {"genvid.E017", "genvid.E021", "genvid.E023", "genvid.W005", "genvid.W011"} <= {each for each, _ in told}
    assert os.linesep not in "".join(sentence for _, sentence in told)
