"""honcho's manager, taught to say when the site is ready and to leave nothing behind, whoever is killed."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

PR_SET_PDEATHSIG = 1
READY_SECONDS = 180.0
# What the processes of a killed supervisor get to end by themselves.
ORPHAN_SECONDS = 6


def die_with_parent(signum: int) -> None:
    """Have the kernel send `signum` to this process when its parent is gone, even after kill -9 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)


class GuardedProcess(Process):
    """The small process beside each part: relays its lines, ends its group when the supervisor is gone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = partial(Popen, shell=False, preexec_fn=partial(die_with_parent, signal.SIGTERM))

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        signal.signal(signal.SIGUSR1, self._on_orphaned)
        signal.signal(signal.SIGALRM, self._on_overtime)
        die_with_parent(signal.SIGUSR1)
        super().run(events, ignore_signals)

    def _on_orphaned(self, signum: int, frame: FrameType | None) -> None:
        # Nobody reads the lines any more; waiting for a reader would keep this process for ever.
        self.quiet = True
        self._events.cancel_join_thread()
        self._signal_group(signal.SIGTERM)
        signal.alarm(ORPHAN_SECONDS)

    def _on_overtime(self, signum: int, frame: FrameType | None) -> None:
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, signum: int) -> None:
        if self._child is None:
            os._exit(1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signum)


class Supervisor(Manager):
    """Runs the parts until told to stop; when one of them ends, the others are ended too."""

    def __init__(self, ready_url: str, banner: str) -> None:
        super().__init__()
        self._process_ctor = GuardedProcess
        self._ready_url = ready_url
        self._banner = banner
        self._last_answer = "no answer"
        self._parent = os.getppid()
        self.failure = ""

    def verdict(self) -> int:
        """0 when somebody stopped it; otherwise says what went wrong."""
        if self.failure:
            print(f"genvid: {self.failure}", file=sys.stderr)
        return 1 if self.failure else 0

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _any_stopped(self) -> bool:
        for part in self._processes.values():
            # Its relay was killed, so no message will ever tell that the part is gone.
            if part["process"].exitcode and "returncode" not in part:
                part["returncode"] = part["process"].exitcode
        ended = [name for name, part in self._processes.items() if part.get("returncode") is not None]
        if ended and not self._terminating:
            self.failure = f"stopped, because {ended[0]} ended; its last lines above say why."
        # True from the request to stop on, not from the first part that obeys: a deaf part is killed in time.
        return bool(ended) or self._terminating

    def _killall(self, force: bool = False) -> None:
        end = self._procmgr.kill if force else self._procmgr.terminate
        for part in self._processes.values():
            # A part without a pid is still starting; the kill at the end finds it.
            if part.get("pid") and "returncode" not in part:
                end(part["pid"])

    def _watch(self) -> None:
        """In a thread: announce the site, and stop when it does not come up or make was interrupted."""
        ready, deadline = False, time.monotonic() + READY_SECONDS
        while not self._terminating:
            if not ready and (ready := self._is_ready()):
                sys.stdout.write(self._banner)
                sys.stdout.flush()
            if not ready and time.monotonic() > deadline:
                self.failure = f"not ready after {READY_SECONDS:.0f} seconds: {self._last_answer}"
            if self.failure or make_is_gone(self._parent):
                os.kill(os.getpid(), signal.SIGTERM)
                return
            time.sleep(0.5 if ready else 0.1)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._ready_url, timeout=5) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            self._last_answer = error.read(2000).decode(errors="replace")
        except OSError as error:
            self._last_answer = str(error)
        return False


def make_is_gone(parent: int) -> bool:
    """Whether the make that started this run was killed or interrupted.

    On SIGINT make waits for its recipe and passes nothing on, since a terminal would have told both. While it
    waits it keeps the signal blocked, which is how `kill -INT` on make alone is noticed here.
    """
    if "MAKELEVEL" not in os.environ:
        return False
    if os.getppid() != parent:
        return True
    try:
        lines = Path(f"/proc/{parent}/status").read_text().splitlines()
    except OSError:
        return False
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return status["Name"] == "make" and bool(int(status["SigBlk"], 16) >> (signal.SIGINT - 1) & 1)
