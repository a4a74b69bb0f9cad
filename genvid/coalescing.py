"""Calls that are made far more often than they need to run."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from time import monotonic
from weakref import WeakSet

StartTimer = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls the second argument in so many seconds. Returns a function that calls it off. Raises RuntimeError."""
_all: "WeakSet[Coalesced]" = WeakSet()


def start_timer(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    timer = Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Coalesced:
    """Runs `act` for the first call at once, and for all that follow within `seconds` once more at their end.

    So each call is followed by a run. Of one process, which forgets a pending run when it ends.
    """

    def __init__(self, act: Callable[[], None], seconds: float, *, start: StartTimer = start_timer) -> None:
        self._act, self._seconds, self._start = act, seconds, start
        self._lock = Lock()
        self._quiet_until = 0.0
        self._call_off: Callable[[], None] | None = None
        _all.add(self)

    def __call__(self) -> None:
        with self._lock:
            if self._call_off is not None:
                return
            wait = self._quiet_until - monotonic()
            if wait > 0 and self._has_timer(wait):
                return
            self._quiet_until = monotonic() + self._seconds
        self._act()

    def _has_timer(self, wait: float) -> bool:
        """False where the machine has no thread left, or the process is ending: then the call runs at once."""
        with suppress(RuntimeError):
            self._call_off = self._start(wait, self._act_late)
        return self._call_off is not None

    def forget(self) -> None:
        """Drop a pending run, and run for the next call at once."""
        with self._lock:
            if self._call_off is not None:
                self._call_off()
            self._call_off, self._quiet_until = None, 0.0

    def _act_late(self) -> None:
        with self._lock:
            self._call_off, self._quiet_until = None, monotonic() + self._seconds
        self._act()


def forget_all() -> None:
    for each in _all:
        each.forget()
