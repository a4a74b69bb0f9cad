import pytest

from genvid.sandbox.process import SandboxProcess
from videos.pipeline import incoming_webhooks, polling
from videos.provider import heygen_clients, provider_gate
from videos.queue import queue_snapshot
from videos.tests.doubles import HeyGenDouble
from videos.tests.pipeline import Pipeline


@pytest.fixture
def queue_is_current(db: None) -> None:
    """A snapshot of the queue, empty so far: what an account then queues is counted by each request."""
    queue_snapshot.refresh()


@pytest.fixture
def pipeline(db: None, sandbox: SandboxProcess) -> Pipeline:
    """Leads videos through the pipeline; the sandbox's catalogue is synced."""
    return Pipeline(sandbox)


@pytest.fixture
def heygen_double(monkeypatch: pytest.MonkeyPatch) -> HeyGenDouble:
    """A double that replaces the HeyGen client in every service."""
    double = HeyGenDouble()
    for module in (heygen_clients, provider_gate, incoming_webhooks, polling):
        monkeypatch.setattr(module, "get_client", lambda: double)
    return double
