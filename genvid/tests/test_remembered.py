"""A single value that a process remembers for seconds."""

from itertools import count

from genvid import process_cache
from genvid.process_cache import Remembered


def counted(**options) -> Remembered[int]:
    """Finds 1 first, then 2, and so on."""
    return Remembered(count(1).__next__, 5, **options)


def test_a_value_is_found_once_until_its_seconds_are_over():
    now = [100.0]
    value = counted(clock=lambda: now[0])
    found = [value(), value()]
    now[0] += 5
    assert (found, value()) == ([1, 1], 2)


def test_a_forgotten_value_is_found_again():
    value = counted()
    value()
    value.forget()
    assert value() == 2


def test_an_empty_value_is_remembered():
    found: list[list[int]] = []
    value = Remembered(lambda: found.append([]) or [], 5)
    assert (value(), value(), len(found)) == ([], [], 1)


def test_a_value_is_forgotten_with_all_that_the_process_remembers():
    value = counted()
    value()
    process_cache.clear_all()
    assert value() == 2
