import pytest

from genvid.sandbox.process import SandboxProcess
from videos.tests.pipeline import Pipeline


@pytest.fixture
def pipeline(db: None, sandbox: SandboxProcess) -> Pipeline:
    """The sandbox's catalogue synced, and the means to lead videos of it."""
    return Pipeline(sandbox)
