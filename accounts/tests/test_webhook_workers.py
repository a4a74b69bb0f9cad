"""Webhook deliveries by real Celery workers, with crashes, races and unresponsive receivers."""

import os
import socket
from collections import Counter
from contextlib import ExitStack

import pytest
import redis
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import Delivery, WebhookEndpoint
from accounts.webhooks.outgoing_events import publish, publish_many
from genvid.sandbox.tests.receiver import Receiver
from genvid.tests.factories import make_caller, make_endpoint
from genvid.tests.processes import WorkerProcess
from genvid.tests.scripted import ScriptedServer
from videos.tests.pipeline import wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
TIMEOUT = 900.0
PATIENT = "accounts.tests.patient_worker"


@pytest.fixture
def new_worker(tmp_path):
    """Starts workers with beat and stops them after the test."""
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
    workers = []

    def start(*, concurrency: int = 4, app: str = "genvid", **environment: str) -> WorkerProcess:
        given = {"WEBHOOK_SWEEP_SECONDS": "0.5", "LOG_LEVEL": "INFO"} | environment
        name = f"worker{len(workers)}"
        workers.append(WorkerProcess(tmp_path, name=name, beat=True, concurrency=concurrency, app=app, **given))
        return workers[-1].start()

    yield start
    for worker in workers:
        if worker.is_running():
            worker.kill9()


def assert_delivered(*deliveries) -> None:
    keys = [delivery.pk for delivery in deliveries]
    done = Delivery.objects.filter(pk__in=keys, status="delivered")
    wait_until(lambda: done.count() == len(keys), seconds=TIMEOUT, why=lambda: str(list(Delivery.objects.values())))


def publish_events(endpoint) -> list[Delivery]:
    publish(endpoint.account_id, "video.completed", {"id": "v1"}, object_id="v1")
    return list(Delivery.objects.filter(endpoint=endpoint))


def test_a_delivery_whose_message_was_lost_is_sent(new_worker):
    with Receiver() as receiver:
        deliveries = publish_events(make_endpoint(make_caller(), url=receiver.url))
        redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
        new_worker(app=PATIENT)
        assert_delivered(*deliveries)
        assert len(receiver.posts) == 1


def test_delivery_of_a_killed_worker_is_sent_again_unchanged(new_worker):
    with ScriptedServer() as server:
        server.says(200, delay=3600)
        server.says(200)
        deliveries = publish_events(make_endpoint(make_caller(), url=server.url))
        worker = new_worker(app=PATIENT)
        wait_until(lambda: len(server.requests) == 1, seconds=TIMEOUT)
        worker.kill9()
        # As if its lease had run out.
        assert Delivery.objects.filter(leased_until__gt=timezone.now()).update(leased_until=timezone.now()) == 1
        new_worker()
        assert_delivered(*deliveries)
        first, second = server.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == deliveries[0].event_id
        assert first.body == second.body


def test_two_workers_send_each_delivery_once(new_worker):
    with Receiver() as receiver:
        person = make_caller()
        make_endpoint(person, url=receiver.url)
        new_worker(app=PATIENT)
        new_worker(app=PATIENT)
        publish_many(person.account.pk, "video.queued", [(str(number), {}) for number in range(60)])
        assert_delivered(*Delivery.objects.all())
        counts = Counter(post.headers["webhook-id"] for post in receiver.posts)
        assert (len(counts), set(counts.values())) == (60, {1})


@pytest.fixture
def unresponsive(closed_url):
    """URLs that accept connections without answering, and one that refuses connections."""
    with ExitStack() as open_sockets:
        silent = [open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64)) for _ in range(2)]
        yield [*(f"http://127.0.0.1:{each.getsockname()[1]}/" for each in silent), closed_url]


def test_unresponsive_receivers_do_not_delay_others(new_worker, unresponsive):
    """There are more unresponsive endpoints' deliveries than workers, and they do not time out during the test."""
    with Receiver() as receiver:
        unresponsive_endpoints = [make_endpoint(make_caller(), url=url, health="good") for url in unresponsive]
        responsive_endpoints = [make_endpoint(make_caller(), url=f"{receiver.url}/{number}") for number in range(7)]
        new_worker(concurrency=8, app=PATIENT, WEBHOOK_POOR_SENDS="4")
        for endpoint in unresponsive_endpoints * 5 + responsive_endpoints * 3:
            publish(endpoint.account_id, "video.completed", {"id": "v1"}, object_id="v1")
        assert_delivered(*Delivery.objects.filter(endpoint__in=responsive_endpoints))
        assert not Delivery.objects.filter(endpoint__in=unresponsive_endpoints, status="delivered").exists()


def test_every_delivery_to_a_busy_endpoint_verifies(new_worker):
    with Receiver() as receiver:
        person = make_caller()
        endpoint = make_endpoint(person, url=receiver.url)
        new_worker(app=PATIENT)
        publish_many(person.account.pk, "video.queued", [(str(number), {"id": number}) for number in range(20)])
        assert_delivered(*Delivery.objects.all())
        verified = [Webhook(endpoint.secret).verify(post.body, post.headers) for post in receiver.posts]
        assert sorted(each["data"]["id"] for each in verified) == list(range(20))
        assert WebhookEndpoint.objects.get().health == "good"
