"""Bucket or disk have no room for finished videos: staff are alarmed, nothing is lost, and all is charged once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from genvid.tests import buckets
from genvid.tests.factories import make_caller
from genvid.tests.processes import WorkerProcess
from videos.enums import Status
from videos.models import OperatorAlarm, Video
from videos.pipeline.storage import ALARM_SECONDS
from videos.tests.pipeline import Money, Pipeline, describe, fresh, money_of, wait_until
from videos.tests.test_crash import FAST_SETTINGS, PATIENCE, wait_for_status

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BALANCE = 30
NO_DISK = {"VIDEO_DISK_RESERVE": str(10**15)}
"""A petabyte has to stay free."""


@pytest.fixture
def pipeline(sandbox, settings):
    settings.EXPECTED_RENDER_BASE = settings.EXPECTED_RENDER_FACTOR = 0
    return Pipeline(sandbox)


@pytest.fixture
def start_worker(tmp_path: Path, pipeline: Pipeline) -> Iterator[Callable[..., WorkerProcess]]:
    started: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": pipeline.sandbox.url} | environment
        started.append(WorkerProcess(tmp_path, name=f"worker{len(started)}", beat=True, **given))
        return started[-1].start()

    yield start
    for worker in started:
        if worker.is_running():
            worker.kill9()


def ordered(pipeline: Pipeline):
    person = make_caller(balance=BALANCE)
    return person, pipeline.order(person)


def wait_for_the_alarm(video: Video) -> None:
    """The video has been finished for longer than the alarm waits."""
    wait_for_status(video, Status.STORING)
    wait_until(lambda: fresh(video).tries > 0, seconds=PATIENCE, why=lambda: describe(video))
    Video.objects.filter(pk=video.pk).update(rendered_at=timezone.now() - timedelta(seconds=ALARM_SECONDS + 1))
    wait_until(OperatorAlarm.objects.filter(code="storing_fails").exists, seconds=PATIENCE)


def assert_waits_and_costs_nothing(person, video: Video) -> None:
    assert fresh(video).status == Status.STORING, describe(video)
    assert money_of(person) == Money(balance=BALANCE, held=fresh(video).credits_held, holds=1)


def assert_completed_once(pipeline: Pipeline, person, video: Video) -> None:
    wait_for_status(video, Status.COMPLETED, Status.FAILED)
    ended = fresh(video)
    assert ended.status == Status.COMPLETED, describe(video)
    assert money_of(person) == Money(balance=BALANCE - ended.credits_charged, charges=1)
    assert pipeline.count_renders(video) == 1


def test_a_full_bucket_is_alarmed_and_loses_no_video(pipeline, start_worker):
    with buckets.served() as bucket:
        bucket.full = True
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": buckets.SECRET}
        start_worker(S3_BUCKET="films", S3_ENDPOINT_URL=bucket.url, S3_REGION="us-east-1", **keys)
        person, video = ordered(pipeline)
        wait_for_the_alarm(video)
        assert_waits_and_costs_nothing(person, video)
        assert bucket.objects == {}

        bucket.full = False
        assert_completed_once(pipeline, person, video)
        (kept,) = [body for path, (_, body) in bucket.objects.items() if path.endswith(".mp4")]
        assert len(kept) == fresh(video).file_bytes


def test_a_full_disk_is_alarmed_and_loses_no_video(pipeline, start_worker):
    worker = start_worker(**NO_DISK)
    person, video = ordered(pipeline)
    wait_for_the_alarm(video)
    assert_waits_and_costs_nothing(person, video)

    worker.kill9()
    start_worker()
    assert_completed_once(pipeline, person, video)
    with fresh(video).file.open() as file:
        assert len(file.read()) == fresh(video).file_bytes
