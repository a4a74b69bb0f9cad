"""The database's clock, and how far that of a process is from it."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from genvid import database_clock, process_cache
from genvid.celery import keep_database_connection
from genvid.tests.asserts import queries_of
from videos.models import OperatorAlarm

pytestmark = pytest.mark.django_db
THIRTY_HOURS = timedelta(hours=30)
TOLERANCE = timedelta(seconds=30)
"""More than any statement takes, and much less than the clocks differ."""


@pytest.fixture(params=[THIRTY_HOURS, -THIRTY_HOURS], ids=["ahead", "behind"])
def wrong_clock(request):
    """This process's clock, and the real time."""
    real = timezone.now()
    with time_machine.travel(real + request.param):
        yield request.param, real


def test_a_process_that_has_not_measured_goes_by_its_own_clock(wrong_clock):
    skew, real = wrong_clock
    assert abs(database_clock.now() - (real + skew)) < TOLERANCE


def test_a_process_that_has_measured_goes_by_the_databases_clock(wrong_clock):
    _, real = wrong_clock
    database_clock.measure()
    assert abs(database_clock.now() - real) < TOLERANCE


def test_the_skew_is_measured(wrong_clock):
    skew, _ = wrong_clock
    assert abs(database_clock.measure() - skew.total_seconds()) < TOLERANCE.total_seconds()


def test_a_measure_is_forgotten_after_some_minutes(monkeypatch):
    with time_machine.travel(timezone.now() + THIRTY_HOURS):
        monkeypatch.setattr(process_cache, "now", lambda: 0.0)
        database_clock.measure()
        monkeypatch.setattr(process_cache, "now", lambda: database_clock.VALID_SECONDS)
        assert abs(database_clock.now() - timezone.now()) < TOLERANCE


def test_a_worker_measures_before_a_task_now_and_then(transactional_db, monkeypatch):
    monkeypatch.setattr(process_cache, "now", lambda: 0.0)
    counts = [queries_of(keep_database_connection) for _ in range(3)]
    monkeypatch.setattr(process_cache, "now", lambda: database_clock.MEASURE_SECONDS)
    assert (counts, queries_of(keep_database_connection)) == ([1, 0, 0], 1)


def test_a_worker_whose_clock_is_wrong_alarms_staff(wrong_clock):
    database_clock.measure_now_and_then()
    alarm = OperatorAlarm.objects.get(code="clock_skewed")
    words = "ahead of" if wrong_clock[0] > timedelta(0) else "behind"
    assert f"seconds {words} the database's" in alarm.text
    assert abs(alarm.last_at - wrong_clock[1]) < TOLERANCE


def test_a_worker_whose_clock_is_right_alarms_nobody(settings):
    settings.CLOCK_SKEW_ALARM_SECONDS = TOLERANCE.total_seconds()
    database_clock.measure_now_and_then()
    assert OperatorAlarm.objects.count() == 0


def test_a_database_that_does_not_answer_stops_no_task(monkeypatch):
    def fail() -> float:
        raise OSError("gone")

    monkeypatch.setattr(database_clock, "measure", fail)
    database_clock.measure_now_and_then()
    assert OperatorAlarm.objects.count() == 0
