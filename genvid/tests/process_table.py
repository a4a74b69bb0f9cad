"""Which processes there are, by /proc (Linux)."""

import time
from collections.abc import Iterable
from pathlib import Path

END_SECONDS = 600.0


def is_running(pid: int) -> bool:
    """False for zombies, too: they hold no file and no port any more."""
    return _stat(pid)[0] != "Z"


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _text(listing).split()):
            found += [child, *descendants(child)]
    return found


def group(leader: int) -> list[int]:
    """The process group that `leader` opened."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _stat(pid)[2] == str(leader)]


def wait_for_the_end_of(pids: Iterable[int]) -> None:
    """After SIGKILL: a killed process holds its ports until the kernel has come round to it."""
    deadline = time.monotonic() + END_SECONDS
    while left := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.01)


def _stat(pid: int) -> list[str]:
    """State, parent, group and what follows them in /proc/…/stat; of a process that is gone, as a zombie's."""
    return _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() or ["Z", "", ""]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
