import pytest

from genvid.sandbox.process import SandboxProcess
from videos.pipeline import incoming_webhooks, polling
from videos.provider import heygen_clients, provider_gate
from videos.tests.doubles import HeyGenDouble
from videos.tests.pipeline import Pipeline


@pytest.fixture
def pipeline(db: None, sandbox: SandboxProcess) -> Pipeline:
    """The sandbox's catalogue synced, and the means to lead videos of it."""
    return Pipeline(sandbox)


@pytest.fixture
def heygen_double(monkeypatch: pytest.MonkeyPatch) -> HeyGenDouble:
    """Stands in front of the real client in every service."""
    standing = HeyGenDouble()
    for module in (heygen_clients, provider_gate, incoming_webhooks, polling):
        monkeypatch.setattr(module, "get_client", lambda: standing)
    return standing
