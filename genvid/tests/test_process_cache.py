"""Values that a process keeps for seconds: found once in a period, and gone afterwards."""

from genvid import process_cache
from genvid.process_cache import ProcessCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def finder() -> tuple[list[int], object]:
    calls: list[int] = []

    def find() -> int:
        calls.append(1)
        return len(calls)

    return calls, find


def test_a_value_is_found_once_in_its_period_and_again_after_it():
    clock, (_, find) = Clock(), finder()
    kept = ProcessCache(30, size=2, clock=clock)
    found = []
    for clock.now in (0.0, 29.9, 30.1, 59.0, 61.0):
        found.append(kept.remembered("key", find))
    assert found == [1, 1, 2, 2, 3]


def test_keys_do_not_mix_and_only_so_many_are_kept():
    calls, find = finder()
    kept = ProcessCache(30, size=2, clock=Clock())
    assert [kept.remembered(key, find) for key in (1, 2, 1, 2, 3, 3)] == [1, 2, 1, 2, 3, 3]
    assert len({kept.remembered(key, find) for key in (1, 2, 3)} - {1, 2, 3}) >= 1
    assert len(calls) >= 4


def test_clearing_all_forgets_every_cache():
    _, find = finder()
    kept = [ProcessCache(30, size=1, clock=Clock()) for _ in range(2)]
    assert [each.remembered("key", find) for each in kept] == [1, 2]
    process_cache.clear_all()
    assert [each.remembered("key", find) for each in kept] == [3, 4]
