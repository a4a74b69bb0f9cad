"""Values that a process keeps for some seconds.

Only for what may be that old in every process, and never for the rows of one account, unless its id is in the key.
"""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar, cast
from weakref import WeakSet

from cachetools import TTLCache

T = TypeVar("T")
_all: "WeakSet[ProcessCache]" = WeakSet()


class ProcessCache:
    def __init__(self, seconds: float, *, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._values: TTLCache[Hashable, object] = TTLCache(size, seconds, timer=clock)
        self._lock = Lock()
        _all.add(self)

    def remembered(self, key: Hashable, find: Callable[[], T]) -> T:
        with self._lock:
            known = self._values.get(key)
        if known is None:
            known = find()
            with self._lock:
                self._values[key] = known
        return cast(T, known)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


def clear_all() -> None:
    for each in _all:
        each.clear()
