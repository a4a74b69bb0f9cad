"""Values that this process remembers for a few seconds: never what must take effect everywhere at once."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_all: list["Remembered[Any] | RememberedFacts"] = []


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


class RememberedFacts:
    """Keys for which something is known to be true."""

    MOST = 10_000

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[Hashable, float] = {}
        _all.append(self)

    def knows(self, key: Hashable) -> bool:
        return time.monotonic() < self._until.get(key, 0.0)

    def remember(self, key: Hashable) -> None:
        if len(self._until) >= self.MOST:
            self._until.clear()
        self._until[key] = time.monotonic() + self._seconds

    def forget(self, key: Hashable = None) -> None:
        """`key`, or without one all of them."""
        if key is None:
            self._until.clear()
        else:
            self._until.pop(key, None)


def forget_all() -> None:
    """For tests: nothing may reach the next one."""
    for each in _all:
        each.forget()
