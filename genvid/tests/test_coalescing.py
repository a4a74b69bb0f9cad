"""Calls of a moment run once at its beginning and once at its end."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from genvid import coalescing
from genvid.coalescing import Coalesced
from genvid.tests.parallel import in_parallel

LONG = 3600.0


class Timers:
    """In the place of threads: the test says when time is up."""

    def __init__(self) -> None:
        self.started: list[tuple[float, Callable[[], None]]] = []
        self.called_off = 0

    def start(self, seconds: float, act: Callable[[], None]) -> Callable[[], None]:
        self.started.append((seconds, act))
        return self.call_off

    def call_off(self) -> None:
        self.called_off += 1


@pytest.fixture
def runs() -> list[int]:
    return []


@pytest.fixture
def timers() -> Timers:
    return Timers()


def coalesced(runs: list[int], timers: Timers, seconds: float = LONG) -> Coalesced:
    return Coalesced(lambda: runs.append(1), seconds, start=timers.start)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coalescing, "monotonic", monotonic)


def test_the_first_call_runs_at_once(runs, timers):
    coalesced(runs, timers)()
    assert (len(runs), timers.started) == (1, [])


def test_further_calls_of_a_moment_run_once_at_its_end(runs, timers):
    each = coalesced(runs, timers)
    for _ in range(5):
        each()
    [(seconds, act)] = timers.started
    assert (len(runs), 0 < seconds <= LONG) == (1, True)
    act()
    assert len(runs) == 2


def test_a_call_after_the_late_run_waits_for_the_next_moment(runs, timers):
    each = coalesced(runs, timers)
    each()
    each()
    timers.started[0][1]()
    each()
    assert (len(runs), len(timers.started)) == (2, 2)


def test_a_call_after_the_moment_runs_at_once(runs, timers):
    each = coalesced(runs, timers, seconds=0.0)
    each()
    each()
    assert (len(runs), timers.started) == (2, [])


def test_what_is_forgotten_is_called_off_and_the_next_call_runs(runs, timers):
    each = coalesced(runs, timers)
    each()
    each()
    each.forget()
    assert timers.called_off == 1
    each()
    assert len(runs) == 2


def test_parallel_calls_are_one_run_and_one_timer(runs, timers):
    each = coalesced(runs, timers)
    results: list[Any] = in_parallel([each] * 8)
    assert (results, len(runs), len(timers.started)) == ([None] * 8, 1, 1)


def test_without_a_thread_for_the_timer_every_call_runs_at_once(runs):
    def no_thread(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("can't start new thread")

    each = Coalesced(lambda: runs.append(1), LONG, start=no_thread)
    for _ in range(3):
        each()
    assert len(runs) == 3
