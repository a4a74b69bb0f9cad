"""Fixtures of all tests: three users, an avatar and a voice, and the jobs that were enqueued."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.core.servers.basehttp import WSGIRequestHandler
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.enums import Role
from avatars.models import Avatar, Voice
from genvid.celery import app
from genvid.configuration import DeclaredEnv
from genvid.schedule import JOBS
from genvid.storages import bucket
from genvid.tests import buckets
from genvid.tests.factories import JsonClient, Person, make_avatar, make_caller, make_teammate, make_voice
from genvid.tests.jobs import registered_tasks

NAMES = {job.name for job in JOBS}
NO_SERVER = "redis://127.0.0.1:9/0"


@pytest.fixture
def browser_site(live_server: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the whole site, for a browser."""
    # A thread of the server that were kept alive would outlive the test, and hold its database connection.
    monkeypatch.setattr(WSGIRequestHandler, "protocol_version", "HTTP/1.0")
    settings.PUBLIC_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def owner(db: None) -> Person:
    return make_caller(email="owner@example.com", full_name="Olive Owner", company_name="Olive Films")


@pytest.fixture
def teammate(owner: Person) -> Person:
    """A member of the owner's account."""
    return make_teammate(owner)


@pytest.fixture
def viewer(owner: Person) -> Person:
    """A viewer of the owner's account."""
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
def recorded_messages() -> Iterator[list[tuple[str, ...]]]:
    """The messages that are sent inside: name and ids."""
    sent: list[tuple[str, ...]] = []

    def record(sender: str, body: Any, **_: Any) -> None:
        sent.append((sender, *body[0]))

    before_task_publish.connect(record, weak=False)
    try:
        yield sent
    finally:
        before_task_publish.disconnect(record)


@pytest.fixture
def woken() -> Iterator[list[tuple[str, ...]]]:
    """The jobs that were enqueued: name and ids."""
    with recorded_messages() as sent:
        yield sent


@pytest.fixture(autouse=True)
def messages_fit_their_tasks() -> Iterator[None]:
    """Asserts that each enqueued message fits the arguments of its task: Celery does not check that."""
    with recorded_messages() as sent:
        yield
    for name, *ids in sent:
        if name in NAMES:  # the bench sends tasks of another application
            registered_tasks()[name].__header__(*ids)


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker address where no server listens, and no open connections."""
    assert app.conf.broker_url  # Celery reads its configuration at the first look, and forgets earlier changes.
    for name in ("broker_url", "broker_read_url", "broker_write_url"):
        monkeypatch.setitem(app.conf.changes, name, NO_SERVER)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.fixture
def work_at_once(
    woken: list[tuple[str, ...]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[[], AbstractContextManager[None]]:
    """`with work_at_once():` jobs that are enqueued inside run in place when the block ends, after the commit."""

    @contextmanager
    def work() -> Iterator[None]:
        with django_capture_on_commit_callbacks(execute=True):
            yield
        while woken:
            name, *ids = woken.pop(0)
            registered_tasks()[name](*ids)

    return work


@pytest.fixture
def still_caches() -> Iterator[None]:
    """What this process has cached for some seconds gets no older, however busy the machine is."""
    from genvid.tests.asserts import still_process_caches  # noqa: PLC0415 - loaded only where it is used

    with still_process_caches():
        yield


@pytest.fixture
def store_in_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Stores the site's files in a bucket `films` of this endpoint and region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", buckets.SECRET)

    def store(endpoint: str = "", region: str = "", name: str = "films") -> None:
        monkeypatch.setenv("S3_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("S3_REGION", region)
        settings.S3_BUCKET, settings.S3_ENDPOINT_URL = name, endpoint
        settings.STORAGES = settings.STORAGES | {"default": bucket(DeclaredEnv(), name, link_seconds=900)}

    return store


@pytest.fixture
def store(store_in_bucket: Callable[..., None]) -> Iterator[SimpleNamespace]:
    """A bucket that answers over HTTP and is the site's storage."""
    with buckets.served() as served:
        store_in_bucket(served.url, "us-east-1")
        yield served
