"""HeyGen answers nobody for longer than staff's alarm waits: all videos wait, and go on together once it answers.

Its process is killed, so that connections are refused, or stopped, so that calls are taken and never answered. What
waits is put off by a day meanwhile: only the recovery can make it due within the patience of a test.
"""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from genvid.heartbeats.status import queue_names
from genvid.sandbox.process import SandboxProcess
from genvid.tests.factories import Person, make_caller
from genvid.tests.processes import BeatProcess, WorkerProcess
from videos.enums import Status
from videos.models import OperatorAlarm, ProviderOutage, Video
from videos.tests.pipeline import Money, Pipeline, describe, fresh, gate, money_of, wait_until
from videos.tests.test_crash import FAST_SETTINGS, PATIENCE, wait_for_status

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BALANCE = 100
EACH = 2
"""Customers whose video waits in each of the four states in which HeyGen is waited for."""
RETRY_SECONDS = 300.0
PUT_OFF = timedelta(days=1)
STAFF = f"{uuid4().hex}@example.com"

Orders = list[tuple[Person, Video]]


@pytest.fixture
def pipeline(sandbox, settings):
    settings.EXPECTED_RENDER_BASE = settings.EXPECTED_RENDER_FACTOR = 0
    return Pipeline(sandbox)


@pytest.fixture
def environment(sandbox: SandboxProcess) -> dict[str, str]:
    """An alarm after half a second, pauses between tries of minutes, and four slots."""
    short = {"HEYGEN_UNREACHABLE_SECONDS": "0.5", "HEYGEN_READ_TIMEOUT": "1", "HEYGEN_WRITE_TIMEOUT": "1"}
    long = {"VIDEO_RETRY_SECONDS": str(RETRY_SECONDS), "VIDEO_SUBMIT_LEASE": "20", "VIDEO_STORE_LEASE": "20"}
    own = {"HEYGEN_BASE_URL": sandbox.url, "HEYGEN_MAX_CONCURRENT": str(2 * EACH), "ALARM_EMAILS": STAFF}
    return FAST_SETTINGS | short | long | own


@pytest.fixture
def start_worker(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., WorkerProcess]]:
    started: list[WorkerProcess | BeatProcess] = [BeatProcess(tmp_path, **environment)]

    def start(name: str, *queues: str) -> WorkerProcess:
        worker = WorkerProcess(tmp_path, name=name, queues=",".join(queues), **environment)
        started.append(worker)
        return worker.start()

    started[0].start()
    yield start
    for process in started:
        if process.is_running():
            process.kill9()


@pytest.fixture(params=["killed", "stopped"])
def outage(request, sandbox: SandboxProcess) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Takes HeyGen away, and gives it back."""
    if request.param == "killed":
        yield sandbox.kill, sandbox.start
        return
    pid = sandbox.pid
    yield (lambda: os.kill(pid, signal.SIGSTOP)), (lambda: os.kill(pid, signal.SIGCONT))
    # The tests that follow use it too, whatever became of this one.
    os.kill(pid, signal.SIGCONT)


def order(pipeline: Pipeline, script: str) -> Orders:
    return [(person, pipeline.order(person, script)) for person in [make_caller(balance=BALANCE) for _ in range(EACH)]]


def wait_for(orders: Orders, status: Status) -> None:
    for _, video in orders:
        wait_for_status(video, status)


def statuses(*groups: Orders) -> list[list[str]]:
    return [[fresh(video).status for _, video in group] for group in groups]


def has_failed_and_waits(video: Video) -> bool:
    """A lease is shorter than the pause after a try."""
    now = fresh(video)
    return now.tries > 0 and now.due_at is not None and now.due_at > timezone.now() + timedelta(seconds=100)


def mails_to_staff() -> list[str]:
    """What the workers have sent, as they write mail into files here."""
    files = Path(django_settings.EMAIL_FILE_PATH).glob("*.log")
    return sorted(text for text in (file.read_text() for file in files) if STAFF in text)


def wait_for_mail(subject: str) -> None:
    wait_until(lambda: any(subject in each for each in mails_to_staff()), seconds=PATIENCE)


def test_an_outage_of_heygen_is_alarmed_and_all_that_waited_goes_on_together(pipeline, start_worker, outage):
    take_away, give_back = outage
    storing, rendering = order(pipeline, "Store me. [[stuck]]"), order(pipeline, "Render me. [[stuck]]")
    start_worker("worker", *sorted({*queue_names()} - {"files"}))
    wait_for(storing + rendering, Status.RENDERING)
    for _, video in storing:
        pipeline.sandbox.complete(fresh(video).provider_video_id)
        pipeline.make_due(video)
    wait_for(storing, Status.STORING)

    take_away()
    start_worker("files", "files")
    ordered, queued = order(pipeline, "Order me."), order(pipeline, "Queue me.")
    waiting = (storing, rendering, ordered, queued)
    states = [[state] * EACH for state in (Status.STORING, Status.RENDERING, Status.SUBMITTING, Status.QUEUED)]
    for _, video in storing + rendering + ordered:
        wait_until(partial(has_failed_and_waits, video), seconds=PATIENCE, why=lambda: str(statuses(*waiting)))
    wait_until(OperatorAlarm.objects.filter(code="provider_unreachable").exists, seconds=PATIENCE)
    wait_for_mail("Alarm: provider_unreachable")
    assert gate().status_text.startswith("unreachable since")
    assert statuses(*waiting) == states
    everybody = [each for group in waiting for each in group]
    assert [money_of(person) for person, _ in everybody] == [
        Money(balance=BALANCE, held=fresh(video).credits_held, holds=1) for _, video in everybody
    ]

    Video.objects.filter(due_at__isnull=False).update(due_at=timezone.now() + PUT_OFF)
    give_back()
    for _, video in rendering:
        pipeline.sandbox.complete(fresh(video).provider_video_id)
    for _, video in everybody:
        wait_for_status(video, Status.COMPLETED, Status.FAILED)
    wait_for_mail("HeyGen answers again")

    assert (gate().status_text, ProviderOutage.objects.get().is_over) == ("ok", True)
    assert OperatorAlarm.objects.filter(code="provider_unreachable").count() == 1
    assert len(pipeline.sandbox.records()["videos"]) == len(everybody)
    for person, video in everybody:
        ended = fresh(video)
        assert ended.status == Status.COMPLETED, describe(video)
        assert pipeline.count_renders(video) == 1
        assert ended.credits_charged > 0
        assert money_of(person) == Money(balance=BALANCE - ended.credits_charged, charges=1)
