"""Workers on machines whose clock is wrong: a few seconds lose no tick, thirty hours end no render."""

import pytest
from django.utils import timezone

from genvid.tests.factories import make_caller, make_video
from genvid.tests.processes import BeatProcess, WorkerProcess
from videos.enums import Status
from videos.models import OperatorAlarm
from videos.tests.pipeline import Pipeline, fresh
from videos.tests.test_crash import FAST_SETTINGS, assert_completed_once, wait_for_status

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
THIRTY_HOURS = 30 * 3600.0
RENDERS = 3


@pytest.fixture
def pipeline(sandbox, settings):
    settings.EXPECTED_RENDER_BASE = settings.EXPECTED_RENDER_FACTOR = 0
    return Pipeline(sandbox)


@pytest.fixture
def start(tmp_path, sandbox):
    """Starts beat with a right clock, and a worker whose clock is wrong."""
    started = []

    def go(clock_ahead: float) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url, "VIDEO_SUBMIT_LEASE": "20"}
        worker = WorkerProcess(tmp_path, SHIFTED_SECONDS=str(clock_ahead), **given)
        started.extend([worker, BeatProcess(tmp_path, **given)])
        for process in started:
            process.start()
        return worker

    yield go
    for process in started:
        if process.is_running():
            process.kill9()


@pytest.mark.parametrize("clock_ahead", [6.0, THIRTY_HOURS, -THIRTY_HOURS])
def test_a_worker_whose_clock_is_wrong_takes_every_tick(pipeline, start, clock_ahead):
    person = make_caller()
    video = pipeline.order(person)
    worker = start(clock_ahead)
    wait_for_status(video, Status.COMPLETED)
    assert_completed_once(pipeline, person, video)
    assert "Discarding revoked task" not in worker.output()
    assert OperatorAlarm.objects.filter(code="clock_skewed").exists()


def test_a_worker_thirty_hours_ahead_ends_no_render(pipeline, start):
    """Their deadlines, a day, have passed by its clock."""
    person = make_caller(balance=1000)
    pipeline.sandbox.configure(stuck=True)
    videos = [pipeline.submit(pipeline.order(person)) for _ in range(RENDERS)]
    assert {video.status for video in videos} == {Status.RENDERING}
    set_aside = make_video(person, set_aside_at=timezone.now(), deadline_at=timezone.now(), avatar=pipeline.avatar)
    start(THIRTY_HOURS)
    # The sweep ends what is overdue by the database's clock.
    wait_for_status(set_aside, Status.FAILED)
    assert {fresh(video).status for video in videos} == {Status.RENDERING}
    for video in videos:
        pipeline.sandbox.complete(fresh(video).provider_video_id)
        pipeline.make_due(video)
    for video in videos:
        wait_for_status(video, Status.COMPLETED)
