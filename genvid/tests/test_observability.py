"""Optional reports to others: nothing of them without their settings, and a clear error without their packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# redis-py imports OpenTelemetry's API and SDK wherever they are installed; the rest is ours alone.
OURS = ("sentry_sdk", "opentelemetry.instrumentation")
SET_UP = f"import django; django.setup(); import sys; print([name for name in {OURS} if name in sys.modules])"
SENTRY = {"SENTRY_DSN": "https://key@127.0.0.1:9/1"}
TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def set_up(code: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "genvid.settings"} | settings
    code = f"{code}\n{SET_UP}"
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, text=True, capture_output=True)


def test_without_their_settings_neither_package_is_imported():
    done = set_up()
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize(("given", "package"), [(SENTRY, "sentry_sdk"), (TRACES, "opentelemetry.instrumentation")])
def test_a_setting_loads_its_package_alone(given, package):
    done = set_up(**given)
    assert (done.returncode, done.stdout.strip()) == (0, f"['{package}']"), done.stderr


@pytest.mark.parametrize(("given", "package"), [(SENTRY, "sentry_sdk"), (TRACES, "opentelemetry")])
def test_a_setting_whose_package_is_missing_is_an_error_in_one_line(given, package):
    done = set_up(f"import sys; sys.modules['{package}'] = None", **given)
    (line,) = done.stderr.strip().splitlines()
    (name,) = given
    assert done.returncode == 1
    assert line.startswith(f"genvid: {name} is set, and {package} is not installed: install requirements-observability")
