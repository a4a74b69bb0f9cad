"""honcho's manager, which also announces the site when it is ready and leaves no process behind."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process
from part_log import STARTS, PartLog

PR_SET_PDEATHSIG = 1
READY_SECONDS = 180.0
FIRST_SECONDS = 60.0
# Seconds for the processes of a killed supervisor to end by themselves.
ORPHAN_SECONDS = 6
# Lines of a part that ended by itself.
SHOWN_LINES = 20


def die_with_parent(signum: int) -> None:
    """Have the kernel send `signum` to this process when its parent is gone, even after kill -9 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)


class GuardedProcess(Process):
    """The small process beside each part: logs its output, ends its group when the supervisor is gone.

    Both streams go to the part's log; standard error (warnings and worse) to the screen too.
    """

    def __init__(self, *args: Any, log_folder: Path, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log_path = log_folder / f"{self.name}.log"
        guard = partial(die_with_parent, signal.SIGTERM)
        self._child_ctor = partial(Popen, shell=False, stderr=subprocess.PIPE, preexec_fn=guard)

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        signal.signal(signal.SIGUSR1, self._on_orphaned)
        signal.signal(signal.SIGALRM, self._on_overtime)
        die_with_parent(signal.SIGUSR1)
        self._events = events
        self._log = PartLog(self._log_path, on_failure=self._show)
        self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
        self._send_message({"pid": self._child.pid}, type="start")
        if ignore_signals:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        code = self._relay_until_the_end(self._child)
        self._send_message({"returncode": code}, type="stop")

    def _relay_until_the_end(self, child: Any) -> int:
        """Returns the exit code. Children that the part leaves behind hold its streams open: they are ended first."""
        relays = [
            threading.Thread(target=self._relay, args=(child.stdout,)),
            threading.Thread(target=self._relay, args=(child.stderr,), kwargs={"show": True}),
        ]
        for relay in relays:
            relay.start()
        code = child.wait()
        self._signal_group(signal.SIGKILL)
        for relay in relays:
            relay.join()
        return int(code)

    def _relay(self, lines: Iterable[bytes], *, show: bool = False) -> None:
        for line in lines:
            self._log.add(line.decode(errors="replace").rstrip("\n"))
            if show:
                self._show(line)

    def _show(self, line: bytes | str) -> None:
        if not self.quiet:
            self._send_message(line)

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


class Screen(Printer):
    muted = False

    def write(self, message: Message) -> None:
        if not self.muted:
            super().write(message)


class Supervisor(Manager):
    """Runs the parts until stopped; when one ends, the others are ended too.

    The others start when the first listens on `first_port`, since they call it at once.
    """

    def __init__(self, ready_url: str, banner: str, log_folder: Path, first_port: int | None = None) -> None:
        super().__init__(Screen(sys.stdout))
        self._first_port = first_port
        self._process_ctor = partial(GuardedProcess, log_folder=log_folder)
        self._log_folder = log_folder
        self._ready_url = ready_url
        self._banner = banner
        self._last_answer = "no answer"
        self._parent = os.getppid()
        self.failure = ""
        self._failed_part = ""

    def verdict(self) -> int:
        if not self.failure:
            return 0
        if self._failed_part:
            log = self._log_folder / f"{self._failed_part}.log"
            print(f"genvid: the last lines of {log}:", file=sys.stderr)
            print(*last_lines(log), sep="\n", file=sys.stderr)
        print(f"genvid: {self.failure}", file=sys.stderr)
        return 1

    def terminate(self) -> None:
        if not self._terminating:
            print("genvid: stopping", flush=True)
            self._printer.muted = not self.failure
        super().terminate()

    def _system_print(self, data: str) -> None:
        """Silent: honcho would report every start, signal and end."""

    def _start(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()
        for name, part in self._processes.items():
            part["process"] = multiprocessing.Process(name=name, target=part["obj"].run, args=(self.events, True))
            part["process"].start()
            if self._first_port:
                self._wait_for_port(self._first_port, part["process"])
                self._first_port = None

    def _wait_for_port(self, port: int, process: multiprocessing.Process) -> None:
        deadline = time.monotonic() + FIRST_SECONDS
        while process.is_alive() and not self._terminating and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)

    def _any_stopped(self) -> bool:
        for part in self._processes.values():
            # Its relay was killed, so no message will report the end of the part.
            if part["process"].exitcode and "returncode" not in part:
                part["returncode"] = part["process"].exitcode
        ended = [name for name, part in self._processes.items() if part.get("returncode") is not None]
        if ended and not self._terminating:
            self._failed_part = ended[0]
            code = self._processes[ended[0]]["returncode"]
            self.failure = f"stopped, because {ended[0]} ended (code {code}); its last lines above say why."
        # True from the request to stop on, so that a part that ignores it is killed in time.
        return bool(ended) or self._terminating

    def _killall(self, force: bool = False) -> None:
        end = self._procmgr.kill if force else self._procmgr.terminate
        for part in self._processes.values():
            # A part without a pid is still starting; the kill at the end finds it.
            if part.get("pid") and "returncode" not in part:
                end(part["pid"])

    def _watch(self) -> None:
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


def last_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    except OSError as error:
        return [f"(unreadable: {error})"]
    starts = [number for number, line in enumerate(lines) if STARTS in line]
    return lines[starts[-1] :] if starts else lines


def make_is_gone(parent: int) -> bool:
    """Whether the make that started this run was killed or interrupted.

    On SIGINT make waits for its recipe and passes nothing on, since a terminal would have signalled both. It keeps the
    signal blocked meanwhile, which is how `kill -INT` on make alone is noticed here.
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
