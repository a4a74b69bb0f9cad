import pytest

from billing.tests.shop import Shop
from genvid.sandbox.process import SandboxProcess


@pytest.fixture
def shop(db: None, sandbox: SandboxProcess) -> Shop:
    """Open: Stripe knows our plans and where to call."""
    return Shop(sandbox)
