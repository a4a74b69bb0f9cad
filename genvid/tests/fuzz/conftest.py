from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from genvid.sandbox.process import SandboxProcess
from genvid.tests.factories import Person
from genvid.tests.fuzz.generated_requests import KnownRows, make_known_rows


def pytest_configure(config: pytest.Config) -> None:
    """Loads schemathesis' plugin for this folder only, because that takes a second; pytest.ini disables it."""
    config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


@pytest.fixture
def known_rows(owner: Person, sandbox: SandboxProcess) -> Iterator[KnownRows]:
    """Rows for generated requests. The database connection stays open, because it holds the test's transaction.

    Stripe is the sandbox: some generated purchases are of existing plans.
    """
    found = make_known_rows(owner)
    # Only now: Django's test client, which makes the known_rows, connects them again after each request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield found
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
