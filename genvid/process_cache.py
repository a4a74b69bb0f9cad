"""Values that a process keeps for some seconds: never what must take effect everywhere at once.

Rows of one account are kept only under a key with its id.
"""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar, cast
from weakref import WeakSet

from cachetools import TTLCache

T = TypeVar("T")
Clock = Callable[[], float]
_all: "WeakSet[ProcessCache]" = WeakSet()


def now() -> float:
    return time.monotonic()


class ProcessCache:
    def __init__(self, seconds: float, *, size: int, clock: Clock | None = None) -> None:
        self._values: TTLCache[Hashable, object] = TTLCache(size, seconds, timer=clock or (lambda: now()))
        self._lock = Lock()
        _all.add(self)

    def get(self, key: Hashable) -> Any:
        with self._lock:
            return self._values.get(key)

    def keep(self, key: Hashable, value: object) -> None:
        with self._lock:
            self._values[key] = value

    def remembered(self, key: Hashable, find: Callable[[], T]) -> T:
        known = self.get(key)
        if known is None:
            known = find()
            self.keep(key, known)
        return cast(T, known)

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


class Remembered(Generic[T]):
    """The result of `find`, which is not None, found anew when it is older than `seconds`."""

    def __init__(self, find: Callable[[], T], seconds: float, *, clock: Clock | None = None) -> None:
        self._find, self._cache = find, ProcessCache(seconds, size=1, clock=clock)

    def __call__(self) -> T:
        return self._cache.remembered("", self._find)

    def forget(self, **_: Any) -> None:
        """Also a receiver of signals."""
        self._cache.clear()


def clear_all() -> None:
    for each in _all:
        each.clear()
