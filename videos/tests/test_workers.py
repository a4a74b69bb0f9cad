"""Draining a worker and pausing orders from the command line."""

import getpass
import socket
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from genvid.errors import InvalidState
from genvid.system_user import system_user
from genvid.tests.factories import make_caller
from genvid.tests.processes import WorkerProcess
from genvid.tests.test_metrics import series
from videos.enums import Status
from videos.staff import celery_workers
from videos.tests.pipeline import Pipeline, charged_once, fresh, gate, wait_until
from videos.tests.test_crash import FAST_SETTINGS, PATIENCE, wait_for_status


def output_of(command: str, *words: str, **options: object) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out, **options)
    return out.getvalue().strip()


# ── Drain


@pytest.fixture
def new_worker(tmp_path, sandbox):
    """Starts workers with beat that talk to the sandbox; all are stopped after the test."""
    started: list[WorkerProcess] = []

    def start(name: str) -> WorkerProcess:
        given = FAST_SETTINGS | {"HEYGEN_BASE_URL": sandbox.url, "VIDEO_SUBMIT_LEASE": "3600"}
        started.append(WorkerProcess(tmp_path, name=name, beat=True, **given))
        return started[-1].start()

    yield start
    for worker in started:
        if worker.is_running():
            worker.kill9()


def celery_name(worker: WorkerProcess) -> str:
    return f"{worker.name}@{socket.gethostname()}"


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.django_db(transaction=True)
def test_a_drained_worker_finishes_its_jobs_and_another_worker_goes_on(sandbox, new_worker, client, monkeypatch):
    pipeline, person = Pipeline(sandbox), make_caller()
    sandbox.configure(submit_seconds=60, stuck=True)
    video = pipeline.order(person)
    worker = new_worker("old")
    wait_until(lambda: sandbox.records()["requests"].get("POST /v3/videos", 0) >= 1, seconds=PATIENCE)

    monkeypatch.setattr(celery_workers, "ANSWER_SECONDS", 600.0)
    celery_workers.drain_worker(celery_name(worker), by="sam")

    assert fresh(video).status == Status.SUBMITTING
    sandbox.configure(submit_seconds=0)
    wait_until(lambda: not worker.is_running(), seconds=PATIENCE, why=worker.output)
    assert (worker.returncode, fresh(video).status, fresh(video).calls) == (0, "rendering", 1)

    learned = series(client.get("/metrics")).get(("genvid_completions_total", ("poll",)), 0)
    sandbox.complete(fresh(video).provider_video_id)
    pipeline.make_due(video)
    new_worker("new")
    wait_for_status(video, Status.COMPLETED)
    assert (charged_once(person, video), pipeline.count_renders(video)) == (True, 1)
    assert series(client.get("/metrics"))["genvid_completions_total", ("poll",)] == learned + 1


def test_an_unknown_worker_cannot_be_drained():
    with pytest.raises(InvalidState, match=r"No worker 'celery@nowhere' answers. Those that do: none\."):
        celery_workers.drain_worker("celery@nowhere", by="sam")


@pytest.mark.parametrize("words", [[], ["celery@here"]])
def test_workers_cannot_be_drained_without_redis(settings, words):
    settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
    with pytest.raises(CommandError, match="Workers can only be asked over Redis"):
        output_of("drain_worker", *words)


def test_workers_are_listed_without_a_name():
    assert output_of("drain_worker") == "No worker answers."


# ── Pause


@pytest.mark.django_db
def test_orders_are_paused_from_the_command_line():
    assert output_of("pause_provider") == "Orders are paused. `resume_provider` lets them go on."
    assert (gate().status_text, gate().paused_by) == ("paused", getpass.getuser())


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["pause_provider", "resume_provider", "drain_worker", "end_overdue"])
def test_commands_that_name_their_user_work_without_an_entry_in_the_password_database(monkeypatch, command):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 1234567)
    assert system_user() == "uid 1234567"
    assert output_of(command)


@pytest.mark.django_db
def test_a_second_pause_from_the_command_line_leaves_the_first():
    output_of("pause_provider", by="ann")
    output_of("pause_provider", by="ben")
    assert gate().paused_by == "ann"


@pytest.mark.django_db
def test_orders_are_resumed_from_the_command_line():
    output_of("pause_provider")
    assert (output_of("resume_provider"), gate().status_text) == ("Orders go out again.", "ok")


@pytest.mark.django_db
@pytest.mark.parametrize(("options", "status_text"), [({}, "closed: unauthorized"), ({"open": True}, "ok")])
def test_a_closed_gate_is_opened_only_with_its_option(options, status_text):
    type(gate()).objects.filter(pk=gate().pk).update(code="unauthorized", needs_staff=True)
    output_of("resume_provider", **options)
    assert gate().status_text == status_text
