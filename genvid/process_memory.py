"""A single value that this process remembers for a few seconds: never what must take effect everywhere at once."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from genvid.process_cache import ProcessCache

T = TypeVar("T")


class Remembered(Generic[T]):
    """The result of `find`, which is not None, found anew when it is older than `seconds`."""

    def __init__(self, find: Callable[[], T], seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find, self._cache = find, ProcessCache(seconds, size=1, clock=clock)

    def __call__(self) -> T:
        return self._cache.remembered("", self._find)

    def forget(self, **_: Any) -> None:
        """Also a receiver of signals."""
        self._cache.clear()
