"""Fixtures every room's tests share. The services themselves start in `genvid/tests/plugin.py`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

if TYPE_CHECKING:
    from genvid.sandbox.process import SandboxProcess
    from genvid.tests.site import EmbeddedSite

pytest_plugins = ["genvid.tests.fixtures"]

# An example that takes long says something about the machine, and nothing about the property.
hypothesis_settings.register_profile(
    "patient", hypothesis_settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Throttles and remembered answers of one test must not reach the next."""
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Tests that commit pay for emptying the tables that they filled, not for all the others."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    from genvid.tests import flushing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flushing.quick_flush)
        yield


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator["SandboxProcess"]:
    """HeyGen and Stripe as a local process, one for each test worker."""
    from genvid.sandbox.process import SandboxProcess

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
    from genvid.tests.site import EmbeddedSite

    with EmbeddedSite.prepared(tmp_path / "var") as site:
        yield site.start()
