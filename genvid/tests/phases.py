"""Where the seconds of a run go. The line at its end: `phases: set-up 0.1 s, imports 1.9 s, …`."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_seconds: dict[str, float] = {}
_begun = time.time()
_made = _begun


def note_start() -> None:
    """`make test` touches two files: GENVID_TEST_STAMPS names the one before its set-up, then the one after."""
    global _begun, _made
    stamps = [Path(word) for word in os.environ.get("GENVID_TEST_STAMPS", "").split()]
    if len(stamps) == 2 and all(stamp.exists() for stamp in stamps):
        _begun, _made = (stamp.stat().st_mtime for stamp in stamps)
        _seconds["set-up"] = _made - _begun


def note_collected() -> None:
    """What came before the tests and was neither set-up nor services: Python, plugins, Django, the test files."""
    _seconds["imports"] = time.time() - _made - _seconds.get("services", 0.0)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Phases may lie inside each other; each counts only what is its own."""
    begun, others = time.time(), sum(_seconds.values())
    yield
    inner = sum(_seconds.values()) - others
    _seconds[name] = _seconds.get(name, 0.0) + time.time() - begun - inner


def line() -> str:
    """The phases in the order of a run; the tests are what remains."""
    total = time.time() - _begun
    rest = total - sum(_seconds.values())
    parts = [f"{name} {_seconds.get(name, 0.0):.1f} s" for name in ("set-up", "imports", "services", "database")]
    return ", ".join([f"phases: {parts[0]}", *parts[1:], f"tests {rest:.1f} s", f"total {total:.1f} s"])
