"""Wishes of a moment become one call at once and one at its end."""

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
def calls() -> list[int]:
    return []


@pytest.fixture
def timers() -> Timers:
    return Timers()


def coalesced(calls: list[int], timers: Timers, seconds: float = LONG) -> Coalesced:
    return Coalesced(lambda: calls.append(1), seconds, start=timers.start)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coalescing, "monotonic", monotonic)


def test_the_first_wish_is_a_call_at_once(calls, timers):
    coalesced(calls, timers).wish()
    assert (len(calls), timers.started) == (1, [])


def test_wishes_of_a_moment_are_one_more_call_at_its_end(calls, timers):
    each = coalesced(calls, timers)
    for _ in range(5):
        each.wish()
    [(seconds, act)] = timers.started
    assert (len(calls), 0 < seconds <= LONG) == (1, True)
    act()
    assert len(calls) == 2


def test_a_wish_after_the_late_call_waits_for_the_next_moment(calls, timers):
    each = coalesced(calls, timers)
    each.wish()
    each.wish()
    timers.started[0][1]()
    each.wish()
    assert (len(calls), len(timers.started)) == (2, 2)


def test_a_wish_after_the_moment_is_a_call_at_once(calls, timers):
    each = coalesced(calls, timers, seconds=0.0)
    each.wish()
    each.wish()
    assert (len(calls), timers.started) == (2, [])


def test_what_is_forgotten_is_called_off_and_the_next_wish_is_a_call(calls, timers):
    each = coalesced(calls, timers)
    each.wish()
    each.wish()
    each.forget()
    assert timers.called_off == 1
    each.wish()
    assert len(calls) == 2


def test_parallel_wishes_are_one_call_and_one_timer(calls, timers):
    each = coalesced(calls, timers)
    results: list[Any] = in_parallel([each.wish] * 8)
    assert (results, len(calls), len(timers.started)) == ([None] * 8, 1, 1)
