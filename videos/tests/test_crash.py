"""Real workers that are killed or lose a neighbour: what was begun is completed from the database."""

import hashlib
import json
import os
import socket
import struct
import time
from pathlib import Path

import pytest
import redis
from django.core.files.storage import default_storage
from django.utils import timezone

from genvid.heartbeats import status as heartbeats
from genvid.heartbeats.models import BEAT, Heartbeat
from genvid.tests.factories import JsonClient, make_caller
from genvid.tests.processes import WorkerProcess
from genvid.tests.services import Redis
from videos.enums import Status
from videos.models import Video
from videos.tests.pipeline import Money, Pipeline, describe, fresh, money_of, wait_until

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Seconds: short leases and intervals, so that the tests are fast.
FAST_SETTINGS = {
    "DISPATCH_SECONDS": "0.2",
    "POLL_SECONDS": "0.2",
    "SWEEP_SECONDS": "0.4",
    "VIDEO_SUBMIT_LEASE": "1",
    "VIDEO_STORE_LEASE": "1",
    "VIDEO_RETRY_SECONDS": "0.2",
    "LOG_LEVEL": "INFO",
}
PATIENCE = 900.0
MINUTE = 60.0


@pytest.fixture
def pipeline(sandbox, settings):
    settings.EXPECTED_RENDER_BASE = settings.EXPECTED_RENDER_FACTOR = 0
    return Pipeline(sandbox)


@pytest.fixture
def person(pipeline):
    return make_caller()


@pytest.fixture
def new_worker(tmp_path, sandbox):
    """Starts workers with beat that talk to the sandbox; all are stopped after the test."""
    workers = []

    def start(*, beat: bool = True, queues: str = "", concurrency: int = 4, **environment: str) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url} | environment
        form = {"beat": beat, "queues": queues, "concurrency": concurrency}
        workers.append(WorkerProcess(tmp_path, name=f"worker{len(workers)}", **form, **given))
        return workers[-1].start()

    yield start
    for worker in workers:
        if worker.is_running():
            worker.kill9()


def wait_for_status(video, *statuses: str) -> None:
    wait_until(lambda: fresh(video).status in statuses, seconds=PATIENCE, why=lambda: describe(video))


def assert_completed_once(pipeline, person, video) -> None:
    """Completed, charged once, rendered once, and the file is whole."""
    video = fresh(video)
    assert video.status == Status.COMPLETED, describe(video)
    assert money_of(person) == Money(balance=30 - video.credits_charged, charges=1)
    assert pipeline.count_renders(video) == 1
    with default_storage.open(video.file.name) as file:
        assert hashlib.sha256(file.read()).hexdigest() == video.file_sha256


def test_a_claimed_video_whose_message_is_lost_is_found_again(pipeline, person, new_worker):
    """The scheduler died between its commit and the message."""
    video = pipeline.order(person)
    pipeline.dispatch()
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
    assert fresh(video).status == Status.SUBMITTING

    new_worker(VIDEO_SUBMIT_LEASE="3600")

    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)
    assert pipeline.remote_render(video)["creates"] == 1


def test_a_worker_killed_during_the_order_makes_the_video_once(pipeline, person, new_worker):
    pipeline.sandbox.configure(submit_seconds=60)
    video = pipeline.order(person)
    worker = new_worker()
    wait_until(lambda: pipeline.sandbox.records()["requests"].get("POST /v3/videos", 0) >= 1)

    worker.kill9()
    assert fresh(video).status == Status.SUBMITTING
    pipeline.sandbox.configure(submit_seconds=0)
    new_worker()

    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)


def test_a_worker_killed_during_the_render_makes_the_video_once(pipeline, person, new_worker):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.order(person)
    worker = new_worker(VIDEO_SUBMIT_LEASE="3600")
    wait_for_status(video, Status.RENDERING)

    worker.kill9()
    pipeline.sandbox.configure(stuck=False)
    pipeline.sandbox.complete(fresh(video).provider_video_id)
    new_worker()

    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)
    assert pipeline.remote_render(video)["creates"] == 1


def test_a_worker_killed_during_the_download_resumes_it(pipeline, person, new_worker, settings):
    video = pipeline.reach_storing(pipeline.order(person))
    remote = pipeline.file_at_provider(video, "video.mp4")
    make_huge(remote, 16)
    pipeline.sandbox.configure(download_seconds=3600)
    worker = new_worker(VIDEO_STORE_LEASE="3600")
    wait_until(lambda: is_downloading(settings.WORK_DIR, video), seconds=PATIENCE)

    worker.kill9()
    pipeline.make_due(video)
    assert fresh(video).status == Status.STORING
    assert money_of(person).charges == 0
    pipeline.sandbox.configure(download_seconds=0)
    successor = new_worker()

    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)
    assert fresh(video).file_bytes == remote.stat().st_size
    assert resumed_at(successor) > 0


def make_huge(file: Path, mebibytes: int = 512) -> None:
    """Append zeros in an MP4 box that players skip; a sparse file takes no disk space."""
    size = mebibytes * 1024 * 1024
    with file.open("ab") as content:
        content.write(struct.pack(">I4s", size, b"free"))
        content.truncate(content.tell() + size - 8)


def resumed_at(worker: WorkerProcess) -> int:
    """The byte from which the download was resumed."""
    (line,) = [line for line in worker.output().splitlines() if '"download_resumed"' in line and ".mp4" in line]
    return int(json.loads(line[line.index("{") :])["start"])


def is_downloading(folder: Path, video: Video) -> bool:
    return any(part.stat().st_size > 0 for part in folder.glob(f"{video.pk}/video.mp4"))


def test_an_emptied_broker_loses_no_video(pipeline, person, new_worker):
    pipeline.sandbox.configure(render_seconds=1)
    videos = [pipeline.order(person, "Hi.") for _ in range(3)]
    new_worker()
    broker = redis.Redis.from_url(os.environ["REDIS_URL"])

    def done() -> bool:
        broker.flushall()
        return pipeline.sandbox.records()["requests"].get("POST /v3/videos", 0) >= 3

    wait_until(done, seconds=PATIENCE)
    for video in videos:
        wait_for_status(video, Status.COMPLETED)

    assert [pipeline.count_renders(video) for video in videos] == [1, 1, 1]
    assert money_of(person).charges == 3


def test_a_killed_and_restarted_provider_loses_no_video(pipeline, person, new_worker):
    pipeline.sandbox.configure(stuck=True)
    video = pipeline.order(person)
    new_worker()
    wait_for_status(video, Status.RENDERING)

    pipeline.sandbox.kill()
    wait_until(lambda: fresh(video).tries > 0, seconds=PATIENCE, why=lambda: describe(video))
    pipeline.sandbox.start()
    pipeline.sandbox.complete(fresh(video).provider_video_id)

    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)


@pytest.fixture
def own_redis(tmp_path):
    """A Redis that only this test uses, and may kill."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with Redis(folder) as broker:
        yield broker.start()


@pytest.mark.drill
def test_a_worker_goes_on_when_redis_comes_back(pipeline, person, new_worker, own_redis):
    pipeline.sandbox.configure(submit_seconds=3)
    held = pipeline.order(person, "Hi.")
    worker = new_worker(REDIS_URL=own_redis.url)
    wait_until(lambda: pipeline.sandbox.records()["requests"].get("POST /v3/videos", 0) >= 1)

    # While the worker holds a message.
    kill_redis(own_redis)
    wait_until(lambda: "Cannot connect to redis" in worker.output() or not worker.is_running(), seconds=PATIENCE)
    ordered_meanwhile = pipeline.order(person, "Ho.")
    own_redis.start()
    assert_all_completed(pipeline, person, [worker], [held, ordered_meanwhile])


@pytest.mark.drill
@pytest.mark.minutes
def test_workers_and_beat_reconnect_to_a_redis_that_was_away_for_a_minute(pipeline, person, new_worker, own_redis):
    """Long enough for all pauses between tries to have grown, and for each loop of a worker to have met it."""
    others = ",".join(sorted({*heartbeats.queue_names()} - {"files"}))
    workers = [
        new_worker(queues=others, HEARTBEAT_SECONDS="1", REDIS_URL=own_redis.url),
        new_worker(beat=False, queues="files", HEARTBEAT_SECONDS="1", REDIS_URL=own_redis.url),
    ]
    before = pipeline.order(person, "Hi.")
    wait_for_status(before, Status.COMPLETED)

    kill_redis(own_redis)
    ordered_meanwhile = pipeline.order(person, "Ho.")
    time.sleep(MINUTE)
    assert [worker.is_running() for worker in workers] == [True, True]
    own_redis.start()
    back_at = timezone.now()
    assert_all_completed(pipeline, person, workers, [before, ordered_meanwhile])
    wait_until(lambda: parts_that_live(since=back_at) >= {BEAT, *heartbeats.queue_names()}, seconds=PATIENCE)


def kill_redis(broker) -> None:
    broker.process.kill()
    broker.process.wait()


def parts_that_live(*, since) -> set[str]:
    return set(Heartbeat.objects.filter(beat_at__gt=since).values_list("name", flat=True))


def assert_all_completed(pipeline, person, workers, videos) -> None:
    """By workers that never ended; each rendered and charged once."""
    for video in videos:
        wait_until(
            lambda video=video: (
                fresh(video).status == Status.COMPLETED or not all(worker.is_running() for worker in workers)
            ),
            seconds=PATIENCE,
        )
    for worker in workers:
        assert worker.is_running(), worker.output()[-2000:]
    assert [pipeline.count_renders(video) for video in videos] == [1] * len(videos)
    assert money_of(person).charges == len(videos)


@pytest.fixture
def silent_mail_server():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        server.settimeout(PATIENCE)
        yield server


@pytest.mark.drill
def test_a_mail_server_that_never_answers_stops_mail_alone(
    pipeline, person, new_worker, silent_mail_server, settings, monkeypatch
):
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{silent_mail_server.getsockname()[1]}", "EMAIL_TIMEOUT": "3600"}
    threads, others = 2, ",".join(sorted({*heartbeats.queue_names()} - {"mail"}))
    for _ in range(threads):
        make_caller()
    new_worker(beat=False, queues="mail", concurrency=threads, **mail)
    new_worker(queues=others, concurrency=threads, HEARTBEAT_SECONDS="0.5", **mail)
    connections = [silent_mail_server.accept()[0] for _ in range(threads)]

    video = pipeline.order(person, "Hi.")
    wait_for_status(video, Status.COMPLETED)

    settings.HEARTBEAT_LIMIT = 4.0
    monkeypatch.setattr(heartbeats, "STARTING_SECONDS", 0.0)
    wait_until(lambda: failing_parts() == {"mail"}, seconds=PATIENCE, why=lambda: str(failing_parts()))
    for connection in connections:
        connection.close()


def failing_parts() -> set[str]:
    response = JsonClient().get("/readyz")
    return set() if response.status_code == 200 else set(response.json()["error"]["details"])
