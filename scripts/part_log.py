"""The log of one part of `make run`: a rotating file, and a warning when it cannot be written."""

import logging
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 5_000_000
OLD_FILES = 2
STARTS = "make run starts"


class PartLog(RotatingFileHandler):
    """Rotates at MAX_BYTES. `on_failure` is called once when a write fails."""

    def __init__(self, path: Path, on_failure: Callable[[str], None], *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=OLD_FILES, encoding="utf-8", delay=True)
        self._on_failure = on_failure
        self._failed = False

    def add(self, line: str) -> None:
        self.handle(logging.makeLogRecord({"msg": line}))

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._failed:
            self._failed = True
            self._on_failure(f"{self.baseFilename} cannot be written ({sys.exc_info()[1]}): lines are lost")


def open_log(folder: Path, part: str) -> None:
    with (folder / f"{part}.log").open("a") as log:
        log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {STARTS} {part}\n")
