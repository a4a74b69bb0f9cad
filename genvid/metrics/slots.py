"""Numbers the processes that write metrics: each gets the lowest number that no living process has."""

import fcntl
import os
from itertools import count
from pathlib import Path


class Slots:
    """Locks a number for this process; the lock ends with it.

    Process ids would not do: containers share them, and dead processes would leave files forever. A new process
    continues the files of a dead one, so sums never fall.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid: int | None = None
        self._lock: int | None = None
        self._number = 0

    def mine(self) -> int:
        if self._pid != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if self._lock is not None:
            # Inherited by a fork: the parent holds the lock by its own descriptor.
            os.close(self._lock)
            self._lock = None
        for number in count():
            lock = self._try(number)
            if lock is not None:
                self._lock, self._number, self._pid = lock, number, os.getpid()
                return

    def _try(self, number: int) -> int | None:
        lock = os.open(self.folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock
