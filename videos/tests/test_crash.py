"""Real workers that are killed: the next worker completes the video from the database."""

import hashlib
import json
import os
import struct
from pathlib import Path

import pytest
import redis
from django.core.files.storage import default_storage

from genvid.tests.factories import make_caller
from genvid.tests.processes import WorkerProcess
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

    def start(**environment: str) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url} | environment
        workers.append(WorkerProcess(tmp_path, name=f"worker{len(workers)}", beat=True, **given))
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

    new_worker()

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
    worker = new_worker()
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
    worker = new_worker()
    wait_until(lambda: is_downloading(settings.WORK_DIR, video), seconds=PATIENCE)

    worker.kill9()
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
