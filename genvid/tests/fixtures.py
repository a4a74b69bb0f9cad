"""The cast of three, something for them to film with, and the jobs that were sent."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from celery.signals import before_task_publish
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.enums import Role
from avatars.models import Avatar, Voice
from genvid.celery import app
from genvid.schedule import JOBS
from genvid.tests.factories import JsonClient, Person, make_avatar, make_caller, make_teammate, make_voice
from genvid.tests.jobs import registered_tasks

NAMES = {job.name for job in JOBS}
NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture
def owner(db: None) -> Person:
    return make_caller(email="owner@example.com", full_name="Olive Owner", company_name="Olive Films")


@pytest.fixture
def teammate(owner: Person) -> Person:
    """May do in the owner's account what its members may."""
    return make_teammate(owner)


@pytest.fixture
def viewer(owner: Person) -> Person:
    """May only look around in the owner's account."""
    return make_teammate(owner, role=Role.VIEWER)


@pytest.fixture
def outsider(db: None) -> Person:
    return make_caller(email="outsider@example.com", full_name="Oscar Outsider")


@pytest.fixture
def anonymous(db: None) -> JsonClient:
    """A client without credentials."""
    return JsonClient()


@pytest.fixture
def voice(db: None) -> Voice:
    return make_voice(name="Ada")


@pytest.fixture
def avatar(voice: Voice) -> Avatar:
    return make_avatar(name="Grace", default_voice=voice)


@contextmanager
def noting_messages() -> Iterator[list[tuple[str, ...]]]:
    """The messages that are sent inside: name and ids."""
    sent: list[tuple[str, ...]] = []

    def note(sender: str, body: Any, **_: Any) -> None:
        sent.append((sender, *body[0]))

    before_task_publish.connect(note, weak=False)
    try:
        yield sent
    finally:
        before_task_publish.disconnect(note)


@pytest.fixture
def woken() -> Iterator[list[tuple[str, ...]]]:
    """The jobs that were sent to the broker: name and ids."""
    with noting_messages() as sent:
        yield sent


@pytest.fixture(autouse=True)
def messages_fit_their_tasks() -> Iterator[None]:
    """Whatever a test sends has a task that takes these ids: neither Python nor Celery looks when a job is enqueued."""
    with noting_messages() as sent:
        yield
    for name, *ids in sent:
        if name in NAMES:  # the bench sends tasks of another application
            registered_tasks()[name].__header__(*ids)


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker address where nobody listens, and no connection that was opened before."""
    assert app.conf.broker_url  # Celery reads its configuration at the first look, and forgets earlier changes.
    for name in ("broker_url", "broker_read_url", "broker_write_url"):
        monkeypatch.setitem(app.conf.changes, name, NOBODY)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.fixture
def work_at_once(
    woken: list[tuple[str, ...]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[[], AbstractContextManager[None]]:
    """`with work_at_once():` the jobs that are sent inside run in place when the block ends, after the commit."""

    @contextmanager
    def work() -> Iterator[None]:
        with django_capture_on_commit_callbacks(execute=True):
            yield
        while woken:
            name, *ids = woken.pop(0)
            registered_tasks()[name](*ids)

    return work
