"""Peak memory of a server's processes, by /proc (Linux)."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from genvid.tests.process_table import descendants

PAUSE = 0.02
FROM_NOW = "5"
"""Written to clear_refs, it sets a process's peak back to what it uses now."""


class Peaks:
    """`with Peaks(pid) as peaks:` the largest of the processes that serve, and of those that they start meanwhile."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.servers = [pid, *descendants(pid)]
        self.before = self.served = self.started = 0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        for each in self.servers:
            Path(f"/proc/{each}/clear_refs").write_text(FROM_NOW)
        self.before = max(map(_peak_of, self.servers))
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watch.join()
        self.served = max(map(_peak_of, self.servers))

    def _look(self) -> None:
        while not self._ended.wait(PAUSE):
            started = set(descendants(self.pid)) - set(self.servers)
            self.started = max(self.started, *map(_peak_of, started), 0)


def _peak_of(pid: int) -> int:
    """Bytes; 0 of a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
