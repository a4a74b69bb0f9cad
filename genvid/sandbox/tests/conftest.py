"""One sandbox for all tests here; every test finds it empty. None of them needs Django."""

import io
import wave
from collections.abc import Iterator

import pytest
from PIL import Image

from genvid.sandbox.process import SandboxProcess
from genvid.sandbox.tests.receiver import Receiver
from genvid.sandbox.tests.sandbox_client import Client
from genvid.sandbox.tests.stripe_merchant import Merchant


@pytest.fixture(scope="session")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def sandbox(shared_process: SandboxProcess) -> SandboxProcess:
    if not shared_process.alive:  # a test that killed it failed before it was started again
        shared_process.start()
    shared_process.reset()
    shared_process.configure(webhook_retry_scale=0.005, webhook_timeout=600, avatar_seconds=0)
    return shared_process


@pytest.fixture(scope="session")
def shared_client(shared_process: SandboxProcess) -> Iterator[Client]:
    with Client(shared_process) as client:
        yield client


@pytest.fixture
def client(sandbox: SandboxProcess, shared_client: Client) -> Client:
    return shared_client


@pytest.fixture
def merchant(sandbox: SandboxProcess) -> Iterator[Merchant]:
    merchant = Merchant(sandbox)
    with merchant.http:
        yield merchant


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 96), "#336699").save(picture, "PNG")
    return picture.getvalue()


@pytest.fixture(scope="session")
def wav() -> bytes:
    """One second of silence."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    return sound.getvalue()
