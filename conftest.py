"""Fixtures shared by the tests of every app. `genvid/tests/plugin.py` starts the services."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from pytest_django import Settings

from genvid import coalescing, process_cache, rate_limit_storage, redis_client, request_context
from genvid.heygen import reachability
from genvid.sandbox.ports import ReservedPort
from genvid.tests import phases, plugin, templates
from genvid.tests.clocks import wait_where_near_the_end_of

if TYPE_CHECKING:
    from genvid.sandbox.process import SandboxProcess
    from genvid.tests.site import EmbeddedSite

pytest_plugins = ["genvid.tests.fixtures"]
# Before a client is made. A Redis that a busy machine keeps waiting is not one that hangs.
redis_client.CONNECT_SECONDS = redis_client.ANSWER_SECONDS = 60.0


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Rate limit counters, cached answers and the last request's address must not reach the next test."""
    request_context.set_current(request_context.NO_REQUEST)
    process_cache.clear_all()
    reachability.of_this_process.clear()
    # Where Redis did not answer once, a process counts by itself for some seconds.
    rate_limit_storage._shared_again_at = 0.0
    if rate_limit_storage.memory.cache_info().currsize:
        rate_limit_storage.memory().reset()
    if plugin.redis_is_up():
        cache.clear()


@pytest.fixture(autouse=True)
def one_day() -> None:
    """Limits of a day and figures of a month are told by UTC: no test begins shortly before midnight and ends after."""
    wait_where_near_the_end_of(timedelta(days=1))


@pytest.fixture(autouse=True)
def lasting_queue_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need more than its ten seconds between a snapshot of the queue and what reads it."""
    if module := sys.modules.get("videos.queue.queue_snapshot"):
        monkeypatch.setattr(module, "MAX_AGE_SECONDS", 900.0)


@pytest.fixture(autouse=True)
def nothing_coalesces(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the clock that it asks makes long steps. A message at the end of a pause would come any time."""
    coalescing.forget_all()
    monkeypatch.setattr(coalescing, "monotonic", partial(next, count(1e6, 1e6)))


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest) -> None:
    """Starts PostgreSQL before pytest-django's own fixture. On our server the database is a copy of a template."""
    plugin.start_postgres()
    own = os.environ["GENVID_TEST_OWN_DATABASE"]
    with phases.phase("database"), templates.copies() if own else nullcontext():
        request.getfixturevalue("django_db_setup")


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Tests that commit empty only the tables that they filled."""
    from django.db.backends.postgresql.operations import DatabaseOperations  # noqa: PLC0415 - settings are read by now

    from genvid.tests import flushing  # noqa: PLC0415 - settings are read by now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flushing.quick_flush)
        yield


@pytest.fixture
def closed_url() -> Iterator[str]:
    port = ReservedPort()
    yield port.url
    port.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator["SandboxProcess"]:
    from genvid.sandbox.process import SandboxProcess  # noqa: PLC0415 - loaded only where it is used

    folder, key = Path(os.environ["GENVID_VAR"]) / "sandbox", os.environ["HEYGEN_API_KEY"]
    with SandboxProcess(folder, renderer="clip", api_key=key) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: "SandboxProcess", settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "SandboxProcess":
    sandbox_process.reset()
    settings.HEYGEN_BASE_URL = sandbox_process.url
    settings.STRIPE_API_HOST = sandbox_process.url
    # dj-stripe reads its setting once, when it is imported.
    monkeypatch.setattr("stripe.api_base", sandbox_process.url)
    return sandbox_process


@pytest.fixture
def embedded_site(tmp_path: Path) -> Iterator["EmbeddedSite"]:
    from genvid.tests.site import EmbeddedSite  # noqa: PLC0415 - loaded only where it is used

    with EmbeddedSite.prepared(tmp_path / "var") as site:
        yield site.start()
