"""A number for each process that writes metrics: the lowest that no living process has."""

import fcntl
import os
from itertools import count
from pathlib import Path


class Slots:
    """Hands this process a number and keeps it locked; the lock ends with the process, however it ends.

    Process ids would do neither: containers share them, and each dead process would leave its files for ever. Here the
    next process goes on counting where the dead one stopped, so that the sums never fall and the files stay few.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pid: int | None = None
        self._lock: int | None = None
        self._number = 0

    def mine(self) -> int:
        """This process's number. Raises OSError where the folder cannot be written."""
        if self._pid != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if self._lock is not None:
            # Inherited by a fork: the parent goes on holding it through its own copy.
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
