from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from genvid.sandbox.process import SandboxProcess
from genvid.tests.factories import Person
from genvid.tests.fuzz.stage import Cast, make_cast


def pytest_configure(config: pytest.Config) -> None:
    """Its plugin takes a second to load: pytest.ini keeps it out, and it comes only with the tests of this folder."""
    config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


@pytest.fixture
def cast(owner: Person, sandbox: SandboxProcess) -> Iterator[Cast]:
    """A server drops its connection after a request; here the test's transaction lives in it.

    Stripe is the sandbox: some of the made-up purchases are of plans that there are.
    """
    found = make_cast(owner)
    # Only now: Django's test client, which makes the cast, connects them again after each request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield found
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
