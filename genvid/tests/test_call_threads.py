"""Calls beside each other, in a bounded number of threads."""

import os
import threading

import pytest

from genvid.call_threads import MAX_THREADS, Calls, _threads_of, call_each
from genvid.request_context import RequestContext, current, use


def free_threads() -> int:
    return _threads_of(os.getpid()).free._value


def test_calls_run_beside_each_other() -> None:
    together = threading.Barrier(8)
    assert sorted(call_each(lambda item: (together.wait(120), item)[1], range(8))) == [*range(8)]


def test_more_items_than_threads_are_all_called_and_the_threads_given_back() -> None:
    count = 3 * MAX_THREADS
    assert sorted(call_each(str, range(count))) == sorted(map(str, range(count)))
    assert free_threads() == MAX_THREADS


def test_a_single_call_is_made_in_the_thread_of_its_caller() -> None:
    assert [*call_each(lambda _: threading.current_thread(), [1])] == [threading.current_thread()]


def test_calls_know_the_request_of_their_caller() -> None:
    with use(RequestContext("one")):
        assert {*call_each(lambda _: current().request_id, range(3))} == {"one"}


def test_items_that_cannot_be_taken_cost_no_thread() -> None:
    calls: Calls[int, str] = Calls(str)

    def fail() -> list[int]:
        raise LookupError

    with pytest.raises(LookupError):
        calls.start(fail, calls.reserve(5))
    assert free_threads() == MAX_THREADS


def test_threads_that_were_reserved_and_not_needed_are_given_back() -> None:
    calls: Calls[int, str] = Calls(str)
    calls.start(lambda: [1], calls.reserve(5))
    assert calls.finished() == ["1"]
    assert free_threads() == MAX_THREADS


def test_an_error_of_a_call_is_raised_when_the_others_have_ended_and_their_threads_are_free() -> None:
    failed, ended = threading.Event(), []

    def call(item: str) -> None:
        if item == "fails":
            failed.set()
            raise ZeroDivisionError
        assert failed.wait(120)
        ended.append(item)

    with pytest.raises(ZeroDivisionError):
        [*call_each(call, ["slow", "fails", "slow"])]
    assert ended == ["slow", "slow"]
    assert free_threads() == MAX_THREADS


def test_results_that_nobody_wants_any_more_leave_no_call_running() -> None:
    results = call_each(str, range(3 * MAX_THREADS))
    next(results)
    results.close()
    assert free_threads() == MAX_THREADS
