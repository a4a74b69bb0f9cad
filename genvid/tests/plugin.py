"""Sets the environment before Django's settings load, and starts PostgreSQL and Redis when they are first asked.

Loaded with `-p` from pytest.ini, because a conftest is read after pytest-django has read the settings.
Under pytest-xdist the controller starts both for all; a worker only gets its own folder and Redis database.
"""

import atexit
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from genvid.tests import phases
from genvid.tests.services import ServiceError, make_folder
from genvid.tests.stack import Stack

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
SLOW = ("slow", "crash", "embedded")
DRILL = "drill"
"""The mark that `make drill` asks for."""
_open = ExitStack()
_stack: Stack | None = None
"""None in a worker of pytest-xdist."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    phases.note_start()
    atexit.register(_open.close)
    try:
        _set_environment()
    except ServiceError as error:
        _open.close()
        raise pytest.UsageError(str(error)) from error


def _set_environment() -> None:
    global _stack
    folder = make_folder()
    _open.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(TEST_ENVIRONMENT, GENVID_TEST_FOLDER=str(folder), GENVID_VAR=_make_var(folder, "main"))
    urls = {name.lower(): os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    _stack = Stack(folder, **urls)
    _open.callback(_stack.close)
    os.environ |= _stack.environment


def start_postgres() -> None:
    if _stack:
        with phases.phase("services"):
            _stack.start_postgres()


def start_redis() -> None:
    """For who gives its address to another process; a connection of this one starts it by itself."""
    if _stack:
        with phases.phase("services"):
            _stack.start_redis()


def redis_is_up() -> bool:
    """Whether there is a Redis that may have something to forget."""
    return _stack is None or _stack.redis_is_up


def _make_var(folder: Path, name: str) -> str:
    var = folder / "var" / name
    var.mkdir(parents=True, exist_ok=True)
    return str(var)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Of `-n auto`: WORKERS, or none for a single file, since each would import everything for itself."""
    files = {word.split("::")[0] for word in config.args}
    is_one_file = len(files) == 1 and files.pop().endswith(".py")
    return 0 if is_one_file else int(os.environ.get("WORKERS", "4"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    assert _stack
    with phases.phase("services"):
        _stack.start_postgres()
        _stack.start_redis()
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
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with slow tests first, in whatever order: the last one to begin is what the other workers wait for."""
    if config.option.markexpr != DRILL:
        _leave_out_minutes(config, items)
    slow = {item.path for item in items if any(item.get_closest_marker(name) for name in SLOW)}
    items.sort(key=lambda item: item.path not in slow)


def _leave_out_minutes(config: pytest.Config, items: list[pytest.Item]) -> None:
    if left_out := [item for item in items if item.get_closest_marker("minutes")]:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    phases.note_collected()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hypothesis loads itself to write its summary, even if no test has used it."""
    if session.config.option.markexpr == DRILL and not ran_any(session.config):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    if "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")


def ran_any(config: pytest.Config) -> bool:
    """Whether a test passed or failed, rather than that all were skipped."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    # A worker of pytest-xdist has none; the controller asks itself.
    return reporter is None or any(reporter.stats.get(outcome) for outcome in ("passed", "failed", "error"))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(phases.line())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _open.close()
