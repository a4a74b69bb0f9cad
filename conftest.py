"""Fixtures that the tests of every app share. The services themselves start in `genvid/tests/plugin.py`."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from pytest_django import Settings

from genvid import request_context
from genvid.sandbox.ports import ReservedPort
from genvid.tests import phases, plugin, templates

if TYPE_CHECKING:
    from genvid.sandbox.process import SandboxProcess
    from genvid.tests.site import EmbeddedSite

pytest_plugins = ["genvid.tests.fixtures"]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Throttles and remembered answers of one test must not reach the next, nor where its last request came from."""
    request_context.set_current(request_context.NO_REQUEST)
    if plugin.redis_is_up():
        cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest) -> None:
    """pytest-django's, which now starts PostgreSQL. On a server of ours the database is a copy of one with tables."""
    plugin.start_postgres()
    own = os.environ["GENVID_TEST_OWN_DATABASE"]
    with phases.phase("database"), templates.copies() if own else nullcontext():
        request.getfixturevalue("django_db_setup")


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Tests that commit pay for emptying the tables that they filled, not for all the others."""
    from django.db.backends.postgresql.operations import DatabaseOperations  # noqa: PLC0415 - settings are read by now

    from genvid.tests import flushing  # noqa: PLC0415 - settings are read by now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flushing.quick_flush)
        yield


@pytest.fixture
def closed_url() -> Iterator[str]:
    """An address at which nothing listens, for as long as the test lasts."""
    port = ReservedPort()
    yield port.url
    port.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator["SandboxProcess"]:
    """HeyGen and Stripe as a local process, one for each test worker."""
    from genvid.sandbox.process import SandboxProcess  # noqa: PLC0415 - loaded only where it is used

    folder, key = Path(os.environ["GENVID_VAR"]) / "sandbox", os.environ["HEYGEN_API_KEY"]
    with SandboxProcess(folder, renderer="clip", api_key=key) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: "SandboxProcess", settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "SandboxProcess":
    """The sandbox with nothing left from earlier tests, and the settings pointing at it."""
    sandbox_process.reset()
    settings.HEYGEN_BASE_URL = sandbox_process.url
    settings.STRIPE_API_HOST = sandbox_process.url
    # dj-stripe reads its setting once, when it is imported.
    monkeypatch.setattr("stripe.api_base", sandbox_process.url)
    return sandbox_process


@pytest.fixture
def embedded_site(tmp_path: Path) -> Iterator["EmbeddedSite"]:
    """A new, empty `make run` on free ports, up and answering."""
    from genvid.tests.site import EmbeddedSite  # noqa: PLC0415 - loaded only where it is used

    with EmbeddedSite.prepared(tmp_path / "var") as site:
        yield site.start()
