"""Values that a process remembers for seconds."""

import pytest

from genvid import process_memory
from genvid.process_memory import Remembered, RememberedFacts


class Counter:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def clock(monkeypatch):
    """A clock to set by hand."""
    now = [100.0]
    monkeypatch.setattr(process_memory.time, "monotonic", lambda: now[0])
    return now


def test_a_value_is_found_once_until_its_seconds_are_over(clock):
    value = Remembered(Counter(), 5)
    found = [value(), value()]
    clock[0] += 5
    assert (found, value()) == ([1, 1], 2)


def test_a_forgotten_value_is_found_again(clock):
    value = Remembered(Counter(), 5)
    value()
    value.forget()
    assert value() == 2


def test_an_empty_value_is_remembered(clock):
    found: list[list[int]] = []
    value = Remembered(lambda: found.append([]) or [], 5)
    assert (value(), value(), len(found)) == ([], [], 1)


def test_a_fact_is_known_until_its_seconds_are_over(clock):
    facts = RememberedFacts(5)
    facts.remember("a")
    known = [facts.knows("a"), facts.knows("b")]
    clock[0] += 5
    assert (known, facts.knows("a")) == ([True, False], False)


def test_one_fact_is_forgotten_without_the_others(clock):
    facts = RememberedFacts(5)
    for key in ("a", "b"):
        facts.remember(key)
    facts.forget("a")
    assert [facts.knows("a"), facts.knows("b")] == [False, True]


def test_facts_do_not_grow_without_bound(clock, monkeypatch):
    monkeypatch.setattr(RememberedFacts, "MOST", 3)
    facts = RememberedFacts(5)
    for key in range(4):
        facts.remember(key)
    assert [key for key in range(4) if facts.knows(key)] == [3]


def test_everything_is_forgotten_at_once(clock):
    value, facts = Remembered(Counter(), 5), RememberedFacts(5)
    value()
    facts.remember("a")
    process_memory.forget_all()
    assert (value(), facts.knows("a")) == (2, False)
