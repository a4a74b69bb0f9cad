from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish

from genvid.sandbox.process import SandboxProcess
from videos import renderers
from videos.services import deliveries, probing, rendering
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
    for module in (renderers, deliveries, probing, rendering):
        monkeypatch.setattr(module, "get_client", lambda: standing)
    return standing


@pytest.fixture
def woken() -> Iterator[list[tuple[str, ...]]]:
    """The tasks that were sent: name and ids."""
    sent: list[tuple[str, ...]] = []

    def note(sender: str, body: Any, **_: Any) -> None:
        sent.append((sender, *body[0]))

    before_task_publish.connect(note, weak=False)
    yield sent
    before_task_publish.disconnect(note)
