"""Values that this process remembers for a few seconds: never what must take effect everywhere at once."""

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_all: list["Remembered[Any]"] = []


class Remembered(Generic[T]):
    """The result of `find`, found anew when it is older than `seconds`."""

    def __init__(self, find: Callable[[], T], seconds: float) -> None:
        self._find, self._seconds = find, seconds
        self._value: tuple[float, T] | None = None
        _all.append(self)

    def __call__(self) -> T:
        known, now = self._value, time.monotonic()
        if known is not None and now < known[0]:
            return known[1]
        found = self._find()
        self._value = (now + self._seconds, found)
        return found

    def forget(self, **_: Any) -> None:
        """Also a receiver of signals."""
        self._value = None


def forget_all() -> None:
    """For tests: nothing may reach the next one."""
    for each in _all:
        each.forget()
