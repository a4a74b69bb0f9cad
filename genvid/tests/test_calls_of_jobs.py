"""Jobs of the queues `celery` and `ticks` call nobody: who does not answer would hold what must not wait."""

import socket
from collections.abc import Iterator
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db.models.functions import Now

from accounts.models import Delivery
from avatars.uploads import removal
from billing.models import StripeSync
from genvid.jobs import DEFAULT_QUEUE
from genvid.mail.models import QueuedMail
from genvid.schedule import JOBS
from genvid.tests.factories import make_endpoint, make_speech, make_upload, make_video
from genvid.tests.jobs import registered_tasks, run_job
from videos.enums import Status
from videos.models import Video, WebhookDelivery

pytestmark = pytest.mark.django_db
QUEUES = (DEFAULT_QUEUE, "ticks")
NOBODY = "http://127.0.0.1:9"
ID = "9b0a1f5e-0000-4000-8000-000000000000"
"""Of a row that is gone: such a job looks for it first."""


@pytest.fixture
def calls(monkeypatch) -> Iterator[list[Any]]:
    """Where Python's sockets were connected to, but for Redis. PostgreSQL's library has its own."""
    connect, found = socket.socket.connect, []
    redis_port = urlsplit(django_settings.REDIS_URL).port

    def note(self: socket.socket, address: Any) -> Any:
        if not (isinstance(address, tuple) and address[1] == redis_port):
            found.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    yield found


@pytest.fixture
def much_to_do(owner, store_in_bucket, settings) -> None:
    """Videos in every status, an upload to remove, and something due for each gateway; nobody answers anywhere."""
    make_endpoint(owner)
    for status in Status:
        make_video(owner, status)
    make_speech(owner, "creating")
    Video.objects.filter(status__in=("submitting", "rendering", "storing")).update(due_at=Now())
    upload = make_upload(owner)
    StripeSync.objects.create(kind="charge", object_id="ch_1")
    WebhookDelivery.objects.create(key="1", event_type="avatar_video.success", payload={})
    settings.HEYGEN_BASE_URL = settings.STRIPE_API_HOST = NOBODY
    store_in_bucket(NOBODY)
    removal.delete_upload(upload)


MUST_NOT_WAIT = sorted((job for job in JOBS if job.queue in QUEUES), key=lambda job: job.name)


@pytest.mark.parametrize("job", MUST_NOT_WAIT, ids=lambda job: job.name)
def test_a_job_that_must_not_wait_calls_nobody_outside(job, much_to_do, calls):
    assert Delivery.objects.exists() and QueuedMail.objects.due().exists()
    ids = len(signature(registered_tasks()[job.name].run).parameters)
    run_job(job, *[ID] * ids)
    assert calls == []
