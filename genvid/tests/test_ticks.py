"""Of each tick at most one waits, and a worker takes it whatever its clock says."""

from pathlib import Path

import pytest
from celery.beat import SchedulingError
from kombu import Connection

from genvid import ticks
from genvid.beat import CALENDAR_PERIOD, Scheduler, period_of, queue_of
from genvid.celery import app
from genvid.jobs import enqueue
from genvid.schedule import JOBS
from genvid.tests.workers import inline_worker
from genvid.ticks import MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS, WaitingTicks
from videos import jobs

SWEEP = jobs.SWEEP.name


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def beat(tmp_path: Path, clock: Clock) -> Scheduler:
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    scheduler.waiting = WaitingTicks(clock)
    return scheduler


def tick(beat: Scheduler, name: str = SWEEP) -> None:
    beat.apply_entry(beat.Entry(**app.conf.beat_schedule[name], name=name, app=app))


def test_no_second_tick_is_sent_while_the_first_waits(beat, woken):
    for _ in range(5):
        tick(beat)
    assert woken == [(SWEEP,)]


def test_the_next_tick_is_sent_once_a_worker_has_taken_the_first(db, beat, woken):
    with inline_worker() as worker:
        tick(beat)
        worker.work()
        tick(beat)
    assert woken.count((SWEEP,)) == 2


def test_a_message_that_beat_did_not_send_is_no_tick(db, beat, woken):
    tick(beat)
    with inline_worker() as worker:
        enqueue(jobs.SWEEP)
        worker.work()
    woken.clear()
    tick(beat)
    assert woken == []


def test_a_tick_that_could_not_be_sent_does_not_count_as_waiting(beat, monkeypatch, woken):
    def fail(*_: object, **__: object) -> None:
        raise SchedulingError

    with monkeypatch.context() as patch:
        patch.setattr("celery.beat.PersistentScheduler.apply_async", fail)
        tick(beat)
    tick(beat)
    assert woken == [(SWEEP,)]


def lifetimes(clock: Clock, monkeypatch: pytest.MonkeyPatch, count: int, *, taken: bool) -> list[float]:
    """How long the keys of ticks live of which each is sent when the one before is lost."""
    found: list[float] = []
    monkeypatch.setattr(ticks.cache, "is_first_in", lambda key, seconds: found.append(seconds) or True)
    waiting = WaitingTicks(clock)
    for _ in range(count):
        assert waiting.reserve(SWEEP, "celery", 5.0)
        clock.now += 5.0 if taken else found[-1]
    return found


def test_ticks_are_sent_ever_more_rarely_while_no_worker_takes_them(clock, monkeypatch):
    expected = [min(MIN_LIFETIME_SECONDS * 2**nth, MAX_LIFETIME_SECONDS) for nth in range(12)]
    assert lifetimes(clock, monkeypatch, 12, taken=False) == expected


def test_a_lost_tick_is_sent_again_after_three_periods(clock, monkeypatch):
    assert lifetimes(clock, monkeypatch, 3, taken=True) == [15.0] * 3


def test_ticks_that_are_rare_because_there_is_little_to_do_are_not_taken_for_lost(db, beat, clock, monkeypatch, woken):
    """Else the next that is lost would be missed for an hour, and with it every poll."""
    found: list[float] = []
    monkeypatch.setattr(ticks.cache, "is_first_in", lambda key, seconds: found.append(seconds) or True)
    for is_busy in [True, False] * 4:
        monkeypatch.setattr("genvid.beat.has_work", lambda task, is_busy=is_busy: is_busy)
        tick(beat, jobs.POLL.name)
        clock.now += 600.0
    assert found == [MIN_LIFETIME_SECONDS] * 4


def test_without_redis_the_embedded_broker_is_asked(tmp_path, settings, monkeypatch):
    settings.REDIS_URL = ""
    with Connection(f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}") as connection:
        monkeypatch.setattr(app, "_pool", connection.Pool(2))
        waiting = WaitingTicks()
        with app.connection_or_acquire(connection) as opened:
            assert waiting.reserve(SWEEP, "celery", 5.0)
            app.send_task(SWEEP, connection=opened)
        found = [waiting.reserve(name, "celery", 5.0) for name in (SWEEP, jobs.POLL.name)]
        connection.SimpleQueue("celery").get(timeout=1)
        assert (found, waiting.reserve(SWEEP, "celery", 5.0)) == ([False, True], True)


def test_a_broker_that_does_not_answer_stops_no_tick(settings, dead_broker):
    settings.REDIS_URL = ""
    assert WaitingTicks().reserve(SWEEP, "celery", 5.0)


def test_the_queue_of_a_tick_is_that_of_its_job():
    assert {job.name: queue_of(job.name) for job in JOBS} == {job.name: job.queue for job in JOBS}


def test_entries_by_the_clock_count_as_hourly(beat):
    entries = {name: beat.Entry(**entry, name=name, app=app) for name, entry in app.conf.beat_schedule.items()}
    assert (period_of(entries[SWEEP]), period_of(entries["accounts.purge"])) == (5.0, CALENDAR_PERIOD)
