"""A worker's proof to the container engine that it lives: a file that a free thread of its pool touches.

`celery inspect ping` will not do: the consumer answers it while all threads hang
(docs/adr/0025-liveness-by-heartbeats.md). The file says that the worker's loop runs, and that its pool has had a free
thread since the file was last touched.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings

PERIOD = 10.0
"""Seconds between two questions to the pool."""
PATIENCE = 10 * PERIOD
"""So long an answer may take: a process of a pool that was killed gives none."""


class PoolProbe(bootsteps.StartStopStep):
    """A step of every worker; without WORKER_ALIVE_FILE it does nothing."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._asked_at = float("-inf")
        self._entry: Any = None

    def start(self, worker: Any) -> None:
        if settings.WORKER_ALIVE_FILE:
            file = Path(settings.WORKER_ALIVE_FILE)
            self.ask(worker.pool.apply_async, file)
            self._entry = worker.timer.call_repeatedly(PERIOD, self.ask, (worker.pool.apply_async, file))

    def stop(self, worker: Any) -> None:
        if self._entry is not None:
            self._entry.cancel()

    def ask(self, apply: Callable[..., Any], file: Path) -> None:
        """Have a thread touch the file, unless that is still waiting for one."""
        if time.monotonic() - self._asked_at > PATIENCE:
            apply(touch, (str(file),), callback=self._answered)
            self._asked_at = time.monotonic()

    def _answered(self, _: Any) -> None:
        self._asked_at = float("-inf")


def touch(file: str) -> None:
    """Also where the folder is full or gone: then the file grows old, and the worker is started anew."""
    try:
        Path(file).touch()
    except OSError:
        return
