"""Starts the services and sets the environment before Django's settings load.

Loaded with `-p` from pytest.ini, because a conftest is read after pytest-django has read the settings.
Under pytest-xdist the controller starts everything once; a worker only gets its own folder
and Redis database.
"""

import atexit
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from genvid.tests.services import Postgres, Redis, ServiceError, make_folder

# A closed loopback port: a test that forgets its sandbox fails at once and reaches nobody.
NOWHERE = "http://127.0.0.1:9"

TEST_ENVIRONMENT = {
    "GENVID_TEST": "1",
    "SECRET_KEY": "test-secret-key-that-is-long-enough-for-hs256-and-django",
    "SALT_KEY": "test-salt-key",
    "DEBUG": "0",
    "HEYGEN_API_KEY": "test-heygen-key",
    "HEYGEN_BASE_URL": NOWHERE,
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdefABCDEF01",
    "STRIPE_API_HOST": NOWHERE,
}
_open = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    atexit.register(_open.close)
    try:
        _start_services()
    except ServiceError as error:
        _open.close()
        raise pytest.UsageError(str(error)) from error


def _start_services() -> None:
    folder = make_folder()
    _open.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(TEST_ENVIRONMENT, GENVID_TEST_FOLDER=str(folder), GENVID_VAR=_make_var(folder, "main"))
    if not os.environ.get("DATABASE_URL"):
        postgres = _open.enter_context(Postgres(folder))
        os.environ["DATABASE_URL"] = postgres.start().url
    if not os.environ.get("REDIS_URL"):
        redis = _open.enter_context(Redis(folder))
        os.environ["REDIS_URL"] = redis.start().url


def _make_var(folder: Path, name: str) -> str:
    var = folder / "var" / name
    var.mkdir(parents=True, exist_ok=True)
    return str(var)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    folder = Path(os.environ["GENVID_TEST_FOLDER"])
    for number, spec in enumerate(specs, start=1):
        spec.env["GENVID_VAR"] = _make_var(folder, spec.id)
        spec.env["REDIS_URL"] = redis_url(os.environ["REDIS_URL"], number)


def redis_url(url: str, offset: int) -> str:
    """`url` with the database `offset` places further: /0 becomes /2."""
    parts = urlsplit(url)
    base = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{base + offset}"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _open.close()
