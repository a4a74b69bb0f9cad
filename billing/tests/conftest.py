import pytest

from billing.tests.shop import Shop
from genvid.sandbox.process import SandboxProcess


@pytest.fixture
def shop(db: None, sandbox: SandboxProcess) -> Shop:
    """Plans and webhook endpoint are set up at the sandbox's Stripe."""
    return Shop(sandbox)
