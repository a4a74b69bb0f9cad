"""Counters and timings, summed over all processes of this machine.

Each process writes memory-mapped files in METRICS_DIR (prometheus_client's multiprocess mode); the one that answers
`/metrics` sums them. Apps use `Tally` and `Timing`, and register collectors in `REGISTRY` for values read on demand.
Recording never raises: a full disk must not stop a video.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog
from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from genvid.metrics.slots import Slots

logger = structlog.get_logger(__name__)

CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
STAGE_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 86400)
MAX_CODES = 60
"""Per process. The provider invents codes, and each is a series forever."""

REGISTRY = CollectorRegistry(auto_describe=False)
COUNTED: dict[str, tuple[str, ...]] = {}
"""The series that processes count, with their labels. One shows in `/metrics` once it was counted."""


class SharedFiles(Collector):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterable[Metric]:
        # A file that another process is just making is still empty, and would not be readable.
        files = [str(path) for path in self.folder.glob("*.db") if path.stat().st_size]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return merged


def _share(folder: Path) -> bool:
    """Lets every instrument made from now on write to `folder`. False: this process counts for itself alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        slots = Slots(folder)
        slots.mine()
    except OSError as error:
        logger.warning("metrics_not_shared", folder=str(folder), error=repr(error))
        return False
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(slots.mine)  # type: ignore[no-untyped-call]
    REGISTRY.register(SharedFiles(folder))
    return True


SHARED = _share(Path(settings.METRICS_DIR))
# Shared instruments are read from the files; if registered too, they would be shown twice.
_OWN_REGISTRY = None if SHARED else REGISTRY


class Tally:
    def __init__(self, name: str, meaning: str, labels: Sequence[str] = ()) -> None:
        self._counter = Counter(name, meaning, labels, registry=_OWN_REGISTRY)
        self._series: dict[tuple[str, ...], Counter] = {} if labels else {(): self._counter}
        COUNTED[name] = tuple(labels)

    def add(self, *words: str, count: float = 1) -> None:
        try:
            series = self._series.get(words) or self._series.setdefault(words, self._counter.labels(*words))
            series.inc(count)
        except Exception as error:  # noqa: BLE001 - counting must never stop what it counts
            logger.debug("metric_not_recorded", error=repr(error))


class Timing:
    def __init__(self, name: str, meaning: str, labels: Sequence[str] = (), *, buckets: Sequence[float]) -> None:
        self._histogram = Histogram(name, meaning, labels, buckets=buckets, registry=_OWN_REGISTRY)
        self._series: dict[tuple[str, ...], Histogram] = {} if labels else {(): self._histogram}
        COUNTED.update(
            {f"{name}_count": tuple(labels), f"{name}_sum": tuple(labels), f"{name}_bucket": (*labels, "le")}
        )

    def note(self, seconds: float, *words: str) -> None:
        try:
            series = self._series.get(words) or self._series.setdefault(words, self._histogram.labels(*words))
            series.observe(seconds)
        except Exception as error:  # noqa: BLE001 - measuring must never stop what it measures
            logger.debug("metric_not_recorded", error=repr(error))


_calls = Timing(
    "genvid_provider_call_seconds",
    "Calls to HeyGen by operation and outcome.",
    ["operation", "code"],
    buckets=CALL_SECONDS,
)
_errors = Tally("genvid_provider_errors_total", "Calls to HeyGen that came to nothing, by code.", ["code"])
_poll_calls = Tally("genvid_poll_calls_total", "Bulk status calls to HeyGen.")
_polled_ids = Tally("genvid_polled_ids_total", "Videos that those calls asked about.")
_codes: set[str] = set()


def observe_call(operation: str, code: str | None, seconds: float) -> None:
    word = _bounded(code) if code else "ok"
    _calls.note(seconds, operation, word)
    if code:
        _errors.add(word)


def count_poll(ids: int) -> None:
    _poll_calls.add()
    _polled_ids.add(count=ids)


def _bounded(code: str) -> str:
    if code not in _codes and len(_codes) >= MAX_CODES:
        return "other"
    _codes.add(code)
    return code[:60]
