"""Counts the SQL statements of each process and times its downloads, in files that the bench reads.

Installed by `bench.settings` alone. Counts what Django sends; PostgreSQL counts BEGIN and COMMIT.
"""

import atexit
import json
import mmap
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

BYTES = 8
RENDER = re.compile(r"/videos/([0-9a-f]+)/")
LISTS = re.compile(r"\((?:%s|\(%s[^()]*\))(?:, (?:%s|\(%s[^()]*\)))+\)")


class CountingConfig(AppConfig):
    name = "bench.counting"
    label = "bench_counting"

    def ready(self) -> None:
        folder = os.environ.get("BENCH_FOLDER")
        if folder:
            counter = StatementCounter(Path(folder))
            connection_created.connect(counter.watch, weak=False)
            atexit.register(counter.write_shapes)
            time_downloads(Path(folder))


class StatementCounter:
    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._shapes: Counter[str] = Counter()
        path = folder / f"{os.getpid()}.statements"
        path.write_bytes(bytes(BYTES))
        with path.open("r+b") as file:
            self._figure = mmap.mmap(file.fileno(), BYTES)
        self._path = path

    def watch(self, connection: Any, **_: Any) -> None:
        if self.count not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.count)

    def count(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        with self._lock:
            self._shapes[sql] += 1
            self._figure[:] = (int.from_bytes(self._figure[:], "little") + 1).to_bytes(BYTES, "little")
        return execute(sql, params, many, context)

    def write_shapes(self) -> None:
        shapes: Counter[str] = Counter()
        for sql, count in self._shapes.items():
            shapes[LISTS.sub("(…)", sql)] += count
        self._path.with_suffix(".shapes").write_text(json.dumps(shapes))


def statements_in(folder: Path) -> dict[int, int]:
    return {int(path.stem): int.from_bytes(path.read_bytes(), "little") for path in folder.glob("*.statements")}


def time_downloads(folder: Path) -> None:
    """Write `render id, begin, end` of each download, in seconds of the wall clock."""
    from genvid.heygen.heygen_client import HeyGenClient  # noqa: PLC0415 - settings are read before this module is loaded

    notes = (folder / f"{os.getpid()}.downloads").open("a", buffering=1)
    plain = HeyGenClient.download_media

    def timed(self: HeyGenClient, url: str, *args: Any, **options: Any) -> Any:
        begun = time.time()
        try:
            return plain(self, url, *args, **options)
        finally:
            found = RENDER.search(url)
            notes.write(f"{found[1] if found else ''} {begun:.4f} {time.time():.4f}\n")

    HeyGenClient.download_media = timed  # type: ignore[method-assign]


def download_seconds(folder: Path) -> dict[str, float]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for path in folder.glob("*.downloads"):
        for line in path.read_text().splitlines():
            render, begun, ended = line.rsplit(" ", 2)
            spans.setdefault(render, []).append((float(begun), float(ended)))
    return {render: _covered(sorted(times)) for render, times in spans.items()}


def _covered(spans: list[tuple[float, float]]) -> float:
    total, until = 0.0, 0.0
    for begun, ended in spans:
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total
