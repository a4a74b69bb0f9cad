import pytest

from genvid.sandbox.process import SandboxProcess
from videos import provider, renderers
from videos.services import deliveries, rendering
from videos.tests.doubles import Door
from videos.tests.pipeline import Pipeline


@pytest.fixture
def pipeline(db: None, sandbox: SandboxProcess) -> Pipeline:
    """The sandbox's catalogue synced, and the means to lead videos of it."""
    return Pipeline(sandbox)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """Stands in front of the real client in every service."""
    standing = Door()
    for module in (renderers, provider, deliveries, rendering):
        monkeypatch.setattr(module, "get_client", lambda: standing)
    return standing
