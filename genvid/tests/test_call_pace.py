"""Calls to HeyGen are spaced, so that it refuses none of them for their number."""

import itertools
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from pytest_django import Settings

from genvid import rate_limit_storage
from genvid.heygen import call_pace
from genvid.heygen.call_pace import CALLS_PER_SECOND, MAX_WAIT_SECONDS, reserve_turn
from genvid.tests.parallel import in_parallel

SPACE = 1 / CALLS_PER_SECOND
MICROSECOND = 1e-6


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest, settings: Settings) -> str:
    if request.param == "memory":
        settings.REDIS_URL = ""
    return str(request.param)


@pytest.fixture
def operation() -> str:
    return uuid4().hex


def turn_of(operation: str) -> tuple[float, float]:
    """Between which moments of our clock the turn lies."""
    before = time.perf_counter()
    wait = reserve_turn(operation)
    return before + wait, time.perf_counter() + wait


def test_the_first_call_goes_out_at_once(store, operation):
    assert reserve_turn(operation) == 0


def test_turns_are_as_far_apart_as_the_rate_demands(store, operation):
    turns = [turn_of(operation) for _ in range(20)]
    apart = [later[1] - earlier[0] for earlier, later in itertools.pairwise(turns)]
    assert min(apart) >= SPACE - MICROSECOND


def test_parallel_callers_get_turns_of_their_own(store, operation):
    turns = sorted(in_parallel([lambda: turn_of(operation)] * 8))
    assert turns[-1][1] - turns[0][0] >= 7 * SPACE - MICROSECOND


def test_operations_do_not_wait_for_each_other(store, operation):
    for _ in range(3):
        reserve_turn(operation)
    assert reserve_turn(uuid4().hex) == 0


def test_nobody_waits_longer_than_a_lease_bears(store, operation):
    waits = [reserve_turn(operation) for _ in range(4 * round(MAX_WAIT_SECONDS * CALLS_PER_SECOND))]
    assert max(waits) == MAX_WAIT_SECONDS


def test_a_redis_that_is_down_delays_no_call(settings, operation, closed_url, monkeypatch):
    monkeypatch.setattr(rate_limit_storage, "_shared_again_at", 0.0)
    settings.REDIS_URL = closed_url.replace("http", "redis")
    assert reserve_turn(operation) == 0


def test_a_caller_sleeps_until_its_turn(operation, monkeypatch):
    slept: list[float] = []
    sleep: Callable[[float], None] = slept.append
    monkeypatch.setattr(call_pace.time, "sleep", sleep)
    for _ in range(400):
        call_pace.wait_for_turn(operation)
    assert slept
    assert 0 < min(slept) <= max(slept) <= MAX_WAIT_SECONDS
