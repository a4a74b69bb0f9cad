"""Heartbeats: one message to each queue that has answered the last, by the database's clock alone."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from celery.signals import before_task_publish
from django.conf import settings
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.testing import capture_logs

from accounts.models import User
from genvid import process_cache
from genvid.beat import Scheduler
from genvid.celery import app
from genvid.health import PROBES
from genvid.heartbeats import alarms, status
from genvid.heartbeats.admin import count_silent
from genvid.heartbeats.models import BEAT, Heartbeat
from genvid.heartbeats.queue_lengths import QueueLength, read_queue_lengths
from genvid.heartbeats.sending import record_heartbeat, send_heartbeats
from genvid.jobs import HEARTBEAT, enqueue
from genvid.leasing import from_now
from genvid.metrics import REGISTRY
from genvid.schedule import queues
from genvid.tests.asserts import queries_of
from genvid.tests.factories import PASSWORD
from genvid.tests.jobs import registered_tasks
from videos import jobs as videos_jobs
from videos.models import OperatorAlarm

NAMES = sorted(queue.name for queue in queues())
PERIOD = settings.HEARTBEAT_SECONDS
pytestmark = pytest.mark.django_db


def answer_all() -> None:
    """As the workers do when they take the messages."""
    task = registered_tasks()[HEARTBEAT.name]
    for name in NAMES:
        task(name)


@pytest.fixture
def routed() -> Iterator[list[tuple[str, list[str], str]]]:
    """The messages that were sent: task, arguments and queue."""
    sent: list[tuple[str, list[str], str]] = []

    def note(sender: str, body: Any, routing_key: str, **_: Any) -> None:
        sent.append((sender, [*body[0]], routing_key))

    before_task_publish.connect(note, weak=False)
    yield sent
    before_task_publish.disconnect(note)


def waiting(*, sent: float, asked: float) -> None:
    """The queue `orders` was asked first and last so many seconds ago, and has answered a minute earlier."""
    row = {"asked_at": from_now(-asked), "sent_at": from_now(-sent), "beat_at": from_now(-asked - 60)}
    assert Heartbeat.objects.filter(name="orders").update(**row) == 1


def state_of(name: str) -> str:
    return status.read_states()[name]


@pytest.fixture
def long_running(monkeypatch) -> None:
    monkeypatch.setattr(status, "STARTING_SECONDS", 0.0)


# ── Beat's part


def test_each_queue_gets_a_message_of_its_own_in_that_queue(routed):
    assert send_heartbeats() == NAMES
    assert routed == [("genvid.heartbeat", [name], name) for name in NAMES]


def test_a_queue_that_has_not_answered_gets_no_second_message(routed):
    send_heartbeats()
    assert (send_heartbeats(), len(routed)) == ([], len(NAMES))


def test_a_queue_that_has_answered_is_asked_again():
    send_heartbeats()
    answer_all()
    assert send_heartbeats() == NAMES


@pytest.mark.parametrize(
    ("sent", "asked", "again"),
    [(1, 1, False), (3.5, 3.5, True), (3.5, 12, False), (7.5, 14, True), (20, 500, False), (31, 500, True)],
)
def test_a_lost_message_is_sent_again_after_pauses_that_double(sent, asked, again):
    send_heartbeats()
    waiting(sent=sent * PERIOD, asked=asked * PERIOD)
    assert send_heartbeats() == (["orders"] if again else [])


def test_asking_again_does_not_hide_for_how_long_nobody_has_answered():
    send_heartbeats()
    waiting(sent=400, asked=500)
    before = Heartbeat.objects.get(name="orders")
    assert send_heartbeats() == ["orders"]
    after = Heartbeat.objects.get(name="orders")
    assert (after.asked_at, after.sent_at > before.sent_at) == (before.asked_at, True)


def test_a_turn_of_beat_takes_three_statements_and_a_heartbeat_one():
    send_heartbeats()
    assert queries_of(lambda: record_heartbeat("orders")) == 1
    assert queries_of(send_heartbeats) == 3


def test_the_schedule_has_beat_send_them_every_ten_seconds(tmp_path: Path, routed):
    entry = app.conf.beat_schedule[HEARTBEAT.name]
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    scheduler.apply_entry(scheduler.Entry(**entry, name=HEARTBEAT.name, app=app))
    assert (entry["schedule"], [queue for _, _, queue in routed]) == (10.0, NAMES)
    assert state_of(BEAT) == status.OK


def test_a_broker_that_is_away_does_not_stop_beat(dead_broker, tmp_path: Path):
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    entry = scheduler.Entry(**app.conf.beat_schedule[HEARTBEAT.name], name=HEARTBEAT.name, app=app)
    with capture_logs() as logs:
        scheduler.apply_entry(entry)
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["heartbeats_not_sent"]


# ── What they say


def test_every_queue_of_the_schedule_is_a_part_and_no_part_has_two_meanings():
    assert status.part_names() == [BEAT, *NAMES]
    assert not {*status.part_names()} & {*PROBES, "provider"}


def test_parts_that_answer_are_well(long_running):
    send_heartbeats()
    answer_all()
    assert status.read_states() == dict.fromkeys([BEAT, *NAMES], status.OK)


@pytest.mark.parametrize(("asked", "state"), [(1, status.OK), (61, status.SILENT)])
def test_a_queue_is_silent_when_its_message_has_waited_too_long(asked, state, long_running):
    send_heartbeats()
    waiting(sent=asked, asked=asked)
    assert state_of("orders") == state


def test_a_queue_that_a_dead_beat_does_not_ask_is_not_blamed_for_it(long_running):
    send_heartbeats()
    answer_all()
    Heartbeat.objects.update(asked_at=from_now(-3600), beat_at=from_now(-3599))
    silent = [name for name, state in status.read_states().items() if state == status.SILENT]
    assert silent == [BEAT]


def test_threads_for_files_may_be_busy_for_a_long_download(long_running):
    send_heartbeats()
    limit = settings.HEARTBEAT_LIMIT + settings.VIDEO_DOWNLOAD_TIMEOUT
    for waited, state in ((limit - 300, status.OK), (limit + 1, status.SILENT)):
        Heartbeat.objects.filter(name="files").update(asked_at=from_now(-waited), beat_at=from_now(-waited - 1))
        assert state_of("files") == state


def test_a_part_that_was_silent_before_the_start_is_starting(monkeypatch):
    Heartbeat.objects.create(name=BEAT, beat_at=from_now(-86400))
    monkeypatch.setattr(status, "STARTING_SECONDS", float("inf"))
    assert state_of(BEAT) == status.STARTING


# ── Gauges


def shown() -> dict[tuple[str, str], float]:
    metrics = {"genvid_heartbeat_seconds", "genvid_queue_messages", "genvid_queue_oldest_seconds"}
    samples = [sample for metric in REGISTRY.collect() if metric.name in metrics for sample in metric.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def empty_broker() -> None:
    with app.connection_for_write() as connection:
        for name in NAMES:
            connection.default_channel.queue_purge(name)


def test_the_age_of_each_heartbeat_is_a_gauge():
    send_heartbeats()
    Heartbeat.objects.filter(name="orders").update(beat_at=from_now(-90))
    ages = {name: value for (metric, name), value in shown().items() if metric == "genvid_heartbeat_seconds"}
    assert set(ages) == {BEAT, *NAMES}
    assert ages["orders"] == pytest.approx(90, abs=60)
    assert ages["orders"] >= 90


def test_a_queue_that_nobody_ever_served_grows_old_since_it_was_first_asked():
    send_heartbeats()
    Heartbeat.objects.filter(name="polls").update(asked_at=from_now(-300), sent_at=from_now(-1))
    assert shown()["genvid_heartbeat_seconds", "polls"] >= 300


def test_the_length_of_each_queue_and_the_age_of_its_oldest_message_are_gauges(empty_broker):
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        enqueue(videos_jobs.SUBMIT, "one")
    enqueue(videos_jobs.SUBMIT, "two")
    gauges = shown()
    assert {name: gauges["genvid_queue_messages", name] for name in NAMES} == dict.fromkeys(NAMES, 0) | {"orders": 2}
    assert 3600 <= gauges["genvid_queue_oldest_seconds", "orders"] < 7200
    assert gauges["genvid_queue_oldest_seconds", "mail"] == 0


def test_a_message_of_the_release_before_has_no_age(empty_broker):
    redis.Redis.from_url(settings.REDIS_URL).lpush("orders", json.dumps({"headers": {}}))
    assert read_queue_lengths(["orders"]) == {"orders": QueueLength(1, None)}


def test_gauges_of_the_database_are_shown_while_the_broker_is_away(monkeypatch, settings):
    send_heartbeats()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert {metric for metric, _ in shown()} == {"genvid_heartbeat_seconds"}


def test_the_embedded_broker_tells_how_long_its_queues_are(settings, empty_broker):
    enqueue(videos_jobs.SUBMIT, "one")
    settings.REDIS_URL = ""
    assert read_queue_lengths(["orders", "mail"]) == {"orders": QueueLength(1, None), "mail": QueueLength(0, None)}


# ── Alarms


@pytest.fixture
def beat_that_runs_for_long(monkeypatch) -> None:
    monkeypatch.setattr(alarms, "_started", float("-inf"))


def silent_for(seconds: float, name: str = "orders") -> None:
    """So long a message has waited for a thread of this queue."""
    row = {"asked_at": from_now(-seconds), "sent_at": from_now(-1), "beat_at": from_now(-seconds - 60)}
    assert Heartbeat.objects.filter(name=name).update(**row) == 1


LIMIT = settings.HEARTBEAT_LIMIT + alarms.GRACE.total_seconds()


@pytest.mark.parametrize(("seconds", "about"), [(LIMIT - 100, []), (LIMIT + 1, ["queue_silent:orders"])])
def test_a_queue_that_is_silent_beyond_its_limit_and_a_grace_is_an_alarm(beat_that_runs_for_long, seconds, about):
    send_heartbeats()
    silent_for(seconds)
    send_heartbeats()
    assert list(OperatorAlarm.objects.values_list("key", flat=True)) == about


def test_a_silent_queue_is_an_alarm_once_an_hour(beat_that_runs_for_long, monkeypatch):
    monkeypatch.setattr(process_cache, "now", lambda: 0.0)
    send_heartbeats()
    silent_for(3600)
    counts = []
    for now in (0.0, alarms.PAUSE_SECONDS - 1, alarms.PAUSE_SECONDS + 1):
        monkeypatch.setattr(process_cache, "now", lambda now=now: now)
        send_heartbeats()
        counts.append(OperatorAlarm.objects.get().count)
    assert counts == [1, 1, 2]


def test_a_beat_that_has_just_started_leaves_the_queues_time_to_answer(monkeypatch):
    monkeypatch.setattr(alarms, "_started", float("inf"))
    send_heartbeats()
    silent_for(3600)
    send_heartbeats()
    assert OperatorAlarm.objects.count() == 0


def test_most_queues_that_are_silent_at_once_are_one_alarm_about_the_broker(beat_that_runs_for_long):
    send_heartbeats()
    for name in NAMES:
        silent_for(settings.QUEUE_HEARTBEAT_LIMITS.get(name, 0) + 3600, name)
    send_heartbeats()
    alarm = OperatorAlarm.objects.get()
    assert (alarm.key, "the broker (Redis) does not answer" in alarm.text) == ("queue_silent:most", True)


def raise_no_alarm(*_: str) -> None:
    raise OSError("no mail")


def test_an_alarm_that_cannot_be_raised_stops_no_heartbeat_and_is_raised_by_the_next(beat_that_runs_for_long, settings):
    raised_by = settings.OPERATOR_ALARM
    send_heartbeats()
    silent_for(3600)
    settings.OPERATOR_ALARM = f"{__name__}.{raise_no_alarm.__name__}"
    answer_all()
    silent_for(3600)
    assert len(send_heartbeats()) == len(NAMES) - 1
    settings.OPERATOR_ALARM = raised_by
    send_heartbeats()
    assert OperatorAlarm.objects.get().key == "queue_silent:orders"


def test_a_queue_that_is_served_no_more_is_no_alarm(beat_that_runs_for_long):
    send_heartbeats()
    Heartbeat.objects.create(name="former", asked_at=from_now(-3600))
    send_heartbeats()
    assert OperatorAlarm.objects.count() == 0


def test_a_turn_of_beat_with_a_silent_queue_that_was_told_takes_three_statements(beat_that_runs_for_long):
    send_heartbeats()
    silent_for(3600)
    send_heartbeats()
    answer_all()
    silent_for(3600)
    assert queries_of(send_heartbeats) == 3


# ── Clocks


@pytest.mark.parametrize("ahead", [timedelta(hours=30), timedelta(hours=-30)])
def test_a_heartbeat_tells_how_wrong_the_clock_of_its_machine_is(ahead):
    with time_machine.travel(timezone.now() + ahead):
        send_heartbeats()
        record_heartbeat("orders")
    host = socket.gethostname()
    skews = {
        sample.labels["part"]: (sample.labels["host"], round(sample.value / 3600))
        for metric in REGISTRY.collect()
        if metric.name == "genvid_part_clock_skew_seconds"
        for sample in metric.samples
    }
    assert skews == dict.fromkeys([BEAT, "orders"], (host, round(ahead.total_seconds() / 3600)))


def test_a_heartbeat_of_the_release_before_leaves_the_clock_as_it_was():
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        record_heartbeat("orders")
    before = Heartbeat.objects.get(name="orders").clock_ahead
    Heartbeat.objects.filter(name="orders").update(beat_at=from_now(3600))
    assert Heartbeat.objects.get(name="orders").clock_ahead == before
    assert timedelta(hours=2.9) < before < timedelta(hours=3.1)


# ── The admin's page

PAGE = reverse("admin:heartbeats_heartbeat_changelist")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("sam@example.com", PASSWORD))
    return client


def test_the_page_shows_each_part_its_state_and_the_clock_of_its_machine(staff, long_running):
    send_heartbeats()
    answer_all()
    waiting(sent=100, asked=100)
    Heartbeat.objects.filter(name="mail").update(clock_ahead=timedelta(seconds=12.3), host="mailer-1")
    Heartbeat.objects.create(name="former")
    answer = staff.get(PAGE)
    admin_page, rows = site._registry[Heartbeat], answer.context["cl"].result_list
    assert [row.name for row in rows] == sorted([BEAT, *NAMES])
    assert {row.name: admin_page.state(row) for row in rows} == dict.fromkeys([BEAT, *NAMES], "ok") | {
        "orders": "silent"
    }
    (mail,) = [row for row in rows if row.name == "mail"]
    assert (mail.host, admin_page.seconds_ahead(mail)) == ("mailer-1", "+12.3")


def test_the_page_takes_as_many_statements_with_every_part_as_with_one(staff):
    Heartbeat.objects.record(BEAT)
    staff.get(PAGE)
    one = queries_of(lambda: staff.get(PAGE))
    send_heartbeats()
    assert queries_of(lambda: staff.get(PAGE)) == one


def test_silent_parts_are_work_for_staff(long_running):
    assert count_silent() == len(NAMES) + 1
    send_heartbeats()
    answer_all()
    assert count_silent() == 0
    silent_for(3600)
    assert count_silent() == 1
