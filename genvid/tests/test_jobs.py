"""Jobs, their tasks, queues and schedule; and enqueueing."""

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery.local import Proxy
from celery.signals import before_task_publish
from django.db import transaction
from structlog.testing import capture_logs

from accounts import jobs as accounts_jobs
from genvid.celery import app
from genvid.jobs import DEFAULT_QUEUE, Job, backlog, enqueue, enqueue_on_commit, jobs_in
from genvid.schedule import JOBS
from genvid.tests.jobs import registered_tasks
from genvid.tests.parallel import in_parallel
from videos import jobs as videos_jobs

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "avatars", "billing", "videos")

QUEUES = {
    "accounts.deliver": "outgoing",
    "accounts.purge": "celery",
    "accounts.send_endpoint_off_email": "celery",
    "accounts.send_invitation_email": "celery",
    "accounts.send_new_owner_email": "celery",
    "accounts.send_password_changed_email": "celery",
    "accounts.send_password_reset_email": "celery",
    "accounts.send_removed_email": "celery",
    "accounts.send_totp_email": "celery",
    "accounts.send_verification_email": "celery",
    "accounts.sweep_deliveries": "celery",
    "accounts.sweep_privacy": "celery",
    "accounts.work_on_erasure": "files",
    "accounts.work_on_export": "files",
    "avatars.remove_orphans": "outgoing",
    "avatars.sweep_creations": "celery",
    "avatars.sync": "outgoing",
    "avatars.sync_when_empty": "outgoing",
    "avatars.work_on_creation": "files",
    "avatars.sweep_uploads": "celery",
    "avatars.work_on_upload": "files",
    "billing.expire_lots": "celery",
    "billing.keep_time": "celery",
    "billing.look": "outgoing",
    "billing.prove_ledger": "files",
    "billing.purge_stripe_inbox": "celery",
    "billing.push_plans": "outgoing",
    "billing.reconcile": "files",
    "billing.send_letter": "outgoing",
    "billing.set_up_stripe": "outgoing",
    "billing.sweep": "outgoing",
    "billing.top_up": "outgoing",
    "genvid.examine_neighbours": "outgoing",
    "genvid.heartbeat": "celery",
    "genvid.mail.prune": "celery",
    "genvid.mail.send": "mail",
    "genvid.mail.sweep": "celery",
    "genvid.prune": "celery",
    "genvid.prune_embedded_broker": "celery",
    "videos.alarm_staff": "celery",
    "videos.backfill": "polls",
    "videos.cancel_batch": "celery",
    "videos.delete_render": "files",
    "videos.dispatch": "celery",
    "videos.end_overdue": "celery",
    "videos.learn_paces": "celery",
    "videos.poll": "polls",
    "videos.probe_provider": "polls",
    "videos.purge": "files",
    "videos.read": "polls",
    "videos.read_balance": "polls",
    "videos.refresh_queue": "ticks",
    "videos.register_webhook": "outgoing",
    "videos.replace_file": "files",
    "videos.retain": "files",
    "videos.speak": "speech",
    "videos.store": "files",
    "videos.submit": "orders",
    "videos.sweep": "celery",
    "videos.work_off_delivery": "polls",
}
"""Every job on the wire. Workers of the previous release may still send and receive them: a change needs two releases.
"""

SCHEDULED = {
    "accounts.purge",
    "accounts.sweep_deliveries",
    "accounts.sweep_privacy",
    "avatars.remove_orphans",
    "avatars.sweep_creations",
    "avatars.sweep_uploads",
    "avatars.sync",
    "avatars.sync_when_empty",
    "billing.expire_lots",
    "billing.keep_time",
    "billing.prove_ledger",
    "billing.purge_stripe_inbox",
    "billing.reconcile",
    "billing.sweep",
    "genvid.examine_neighbours",
    "genvid.heartbeat",
    "genvid.mail.prune",
    "genvid.mail.sweep",
    "genvid.prune",
    "genvid.prune_embedded_broker",
    "videos.backfill",
    "videos.dispatch",
    "videos.learn_paces",
    "videos.poll",
    "videos.probe_provider",
    "videos.read_balance",
    "videos.refresh_queue",
    "videos.retain",
    "videos.sweep",
}


@pytest.fixture
def published() -> Iterator[list[dict[str, Any]]]:
    """What the messages that were sent say of themselves."""
    messages: list[dict[str, Any]] = []

    def note(sender: str, body: Any, headers: dict[str, Any], routing_key: str, **_: Any) -> None:
        kept = {name: headers[name] for name in ("expires", "ignore_result")}
        messages.append({"name": sender, "ids": tuple(body[0]), "queue": routing_key} | kept)

    before_task_publish.connect(note, weak=False)
    yield messages
    before_task_publish.disconnect(note)


# ── Jobs and tasks


def test_no_two_jobs_have_one_name() -> None:
    assert [name for name, count in Counter(job.name for job in JOBS).items() if count > 1] == []


def test_every_job_has_a_task_and_every_task_a_job() -> None:
    assert set(registered_tasks()) == {job.name for job in JOBS}


def test_no_two_functions_are_the_task_of_one_job() -> None:
    """Celery keeps the first function of a name and only warns of the second."""
    functions = [
        (value.name, name)
        for package in ("genvid", "genvid.mail", *APPS)
        for name, value in vars(import_module(f"{package}.tasks")).items()
        if type(value) is Proxy
    ]
    assert len(functions) == len(JOBS)
    assert [job for job, count in Counter(job for job, _ in functions).items() if count > 1] == []


def test_a_task_is_the_function_that_is_called_like_its_job() -> None:
    modules = [import_module(f"{package}.jobs") for package in (*APPS, "genvid.mail")] + [import_module("genvid.jobs")]
    constants = {job.name: name for module in modules for name, job in vars(module).items() if isinstance(job, Job)}
    functions = {name: task.__name__.upper() for name, task in registered_tasks().items()}
    assert functions == constants


@pytest.mark.parametrize("package", APPS)
def test_the_jobs_of_an_app_bear_its_name_and_import_the_base_alone(package: str) -> None:
    module = import_module(f"{package}.jobs")
    tree = ast.parse(Path(module.__file__).read_text())
    imports = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == ["from genvid.jobs import Job"]
    assert {job.name.partition(".")[0] for job in jobs_in(module)} == {package}


def test_the_schedule_needs_no_settings_and_no_other_module_of_an_app_than_its_jobs() -> None:
    """The settings import it."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    probe = "import sys, genvid.schedule; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, text=True)
    loaded = {name for name in done.stdout.split() if name.partition(".")[0] in APPS}
    assert (loaded, done.stderr) == ({*APPS, *(f"{package}.jobs" for package in APPS)}, "")


# ── Queues and schedule


def test_the_queue_of_each_job_stays() -> None:
    assert {job.name: job.queue for job in JOBS} == QUEUES


def test_celery_routes_each_job_to_its_queue() -> None:
    assert {name: app.amqp.router.route({}, name)["queue"].name for name in QUEUES} == QUEUES


def test_a_worker_without_named_queues_serves_every_queue() -> None:
    names = {"celery", "files", "mail", "orders", "outgoing", "polls", "speech", "ticks"}
    assert set(app.amqp.queues.consume_from) == set(QUEUES.values()) == names
    assert app.amqp.queues[DEFAULT_QUEUE].name == app.conf.task_default_queue == "celery"


def test_every_entry_of_the_schedule_sends_the_job_it_is_named_after() -> None:
    entries = app.conf.beat_schedule
    assert {name: entry["task"] for name, entry in entries.items()} == {name: name for name in SCHEDULED}
    assert set(entries) <= {job.name for job in JOBS}


# ── Enqueueing


def test_a_message_carries_the_name_the_ids_and_the_queue(published) -> None:
    enqueue(accounts_jobs.SEND_REMOVED_EMAIL, "one", "two")
    enqueue(videos_jobs.SUBMIT, "three")
    common = {"expires": None, "ignore_result": True}
    assert published == [
        {"name": "accounts.send_removed_email", "ids": ("one", "two"), "queue": "celery"} | common,
        {"name": "videos.submit", "ids": ("three",), "queue": "orders"} | common,
    ]


def test_no_message_expires(published) -> None:
    """A worker would compare the moment with its own clock."""
    enqueue(accounts_jobs.DELIVER, "one")
    assert published[0]["expires"] is None
    assert [entry for entry in app.conf.beat_schedule.values() if "expires" in entry.get("options", {})] == []


@pytest.mark.django_db
def test_a_job_is_sent_after_the_commit_and_not_before(woken, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_on_commit(videos_jobs.SUBMIT, "one")
        assert woken == []
    assert woken == [("videos.submit", "one")]


@pytest.mark.django_db(transaction=True)
def test_a_job_of_a_transaction_that_is_rolled_back_is_not_sent(woken) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue_on_commit(videos_jobs.SUBMIT, "one")
        raise RuntimeError
    assert woken == []


def test_a_dead_broker_is_logged_and_not_raised(dead_broker) -> None:
    with capture_logs() as logs:
        enqueue(videos_jobs.SUBMIT, "one")
    (entry,) = [entry for entry in logs if entry["event"] == "broker_unavailable"]
    assert (entry["log_level"], entry["task"], entry["ids"]) == ("warning", "videos.submit", ("one",))


# ── Threads of a web server

THREAD = """
import threading
import {entry}
from celery import current_app
thread = threading.Thread(target=lambda: print(current_app.main, current_app.conf.broker_url))
thread.start()
thread.join()
"""


@pytest.mark.parametrize("entry", ["genvid.wsgi", "genvid.asgi", "genvid.celery"])
def test_every_thread_of_a_process_has_our_application_and_its_broker(entry) -> None:
    """Celery gives a thread that knows none an application of its own making, with a broker at amqp://localhost."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "genvid.settings"}
    command = [sys.executable, "-c", THREAD.format(entry=entry)]
    told = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=True).stdout
    assert told.split() == ["genvid", app.conf.broker_url]


def test_a_job_that_a_thread_of_the_web_server_sends_waits_in_its_queue() -> None:
    waiting = backlog(videos_jobs.SUBMIT)
    with capture_logs() as logs:
        in_parallel([lambda: enqueue(videos_jobs.SUBMIT, "one"), lambda: enqueue(videos_jobs.SUBMIT, "two")])
    assert [entry["event"] for entry in logs] == ["task_enqueued"] * 2
    assert backlog(videos_jobs.SUBMIT) == waiting + 2


def test_a_thread_of_the_web_server_sees_how_long_a_queue_is() -> None:
    enqueue(videos_jobs.SUBMIT, "one")
    assert in_parallel([lambda: backlog(videos_jobs.SUBMIT)]) == [backlog(videos_jobs.SUBMIT)] != [0]
