"""A worker or beat that stands still, as on a machine that is frozen: monitoring hears of it, traffic goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from genvid.heartbeats import status
from genvid.heartbeats.models import BEAT
from genvid.tests.factories import JsonClient, make_caller
from genvid.tests.processes import BeatProcess, OwnProcess, WorkerProcess
from videos.enums import Status
from videos.tests.pipeline import Money, Pipeline, fresh, money_of, wait_until
from videos.tests.test_crash import FAST_SETTINGS, PATIENCE, wait_for_status

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LIMIT_SECONDS = 10.0
CALLER = ("files", "orders", "outgoing")
"""What the compose service of this name serves."""


@pytest.fixture
def pipeline(sandbox, settings, monkeypatch):
    settings.EXPECTED_RENDER_BASE = settings.EXPECTED_RENDER_FACTOR = 0
    settings.HEARTBEAT_LIMIT = LIMIT_SECONDS
    settings.QUEUE_HEARTBEAT_LIMITS = {}
    monkeypatch.setattr(status, "STARTING_SECONDS", 0.0)
    return Pipeline(sandbox)


@pytest.fixture
def parts(tmp_path: Path, pipeline: Pipeline) -> Iterator[dict[str, OwnProcess]]:
    """Beat, the caller, and one worker for all other queues."""
    given = FAST_SETTINGS | {"HEYGEN_BASE_URL": pipeline.sandbox.url, "HEARTBEAT_SECONDS": "1"}
    others = ",".join(sorted({*status.queue_names()} - {*CALLER}))
    beat = BeatProcess(tmp_path, **given)
    caller = WorkerProcess(tmp_path, name="caller", queues=",".join(CALLER), **given)
    worker = WorkerProcess(tmp_path, name="worker", queues=others, **given)
    running: dict[str, OwnProcess] = {"beat": beat, "caller": caller, "worker": worker}
    for process in (beat, caller, worker):
        process.start()
    yield running
    for process in running.values():
        process.kill9()


def send(process: OwnProcess, sent: signal.Signals) -> None:
    os.killpg(process.pid, sent)


def failing() -> set[str]:
    answer = JsonClient().get("/readyz")
    return set() if answer.status_code == 200 else set(answer.json()["error"]["details"])


def steers_traffic() -> int:
    return JsonClient().get("/readyz?parts=web").status_code


def wait_for_failing(names: set[str]) -> None:
    wait_until(lambda: failing() == names, seconds=PATIENCE, why=lambda: f"{failing()} fail, not {names}")


def test_a_caller_that_stands_still_is_told_by_its_queues_and_takes_no_traffic_away(pipeline, parts):
    wait_for_failing(set())
    send(parts["caller"], signal.SIGSTOP)
    person = make_caller()
    video = pipeline.order(person)
    wait_for_failing({*CALLER})
    assert (steers_traffic(), fresh(video).status in (Status.QUEUED, Status.SUBMITTING)) == (200, True)
    assert money_of(person) == Money(balance=30, held=video.credits_held, holds=1)

    send(parts["caller"], signal.SIGCONT)
    wait_for_failing(set())
    wait_for_status(video, Status.COMPLETED)
    assert (pipeline.count_renders(video), money_of(person).charges) == (1, 1)


def test_a_beat_that_stands_still_is_told_alone_and_takes_no_traffic_away(pipeline, parts):
    wait_for_failing(set())
    send(parts["beat"], signal.SIGSTOP)
    wait_for_failing({BEAT})
    assert steers_traffic() == 200
    person = make_caller()
    video = pipeline.order(person)

    send(parts["beat"], signal.SIGCONT)
    wait_for_failing(set())
    wait_for_status(video, Status.COMPLETED)
    assert (pipeline.count_renders(video), money_of(person).charges) == (1, 1)
