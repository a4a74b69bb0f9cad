"""A real PostgreSQL and a real Redis for the tests, from wheels: nothing is installed, no user is made."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from genvid.sandbox.ports import ReservedPort
from genvid.tests.binaries import ServiceError, copy_wheel, find_postgres, find_redis, reachable_by_nobody

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
# A server that does not start ends, which is noticed at once; one that a busy machine keeps waiting still comes up.
START_SECONDS = 900.0
STOP_SECONDS = 120.0
PREFIX = "genvid-test-"

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signum: int) -> None:
    """Ask the kernel to send `signum` to this process when its parent is gone, even after kill -9."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signum)


def make_folder() -> Path:
    """A fresh folder that names its owner, so that the next run can sweep what a killed run left."""
    for stale in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = stale.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _may_unshare() -> bool:
    """Whether this process may enter a user namespace of its own; tried in a child that ends at once."""
    assert _libc is not None
    child = os.fork()
    if child == 0:
        os._exit(0 if _libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


@dataclass
class Service:
    """One child process with a log file, stopped by `stop_signal` and, unless it `outlives_us`, with its parent."""

    name: str
    folder: Path
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = None
    outlives_us: bool = False

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def spawn(
        self,
        command: list[str],
        *,
        before: Callable[[], None] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        def prepare() -> None:
            if before:
                before()
            if not self.outlives_us:
                # Last: changing credentials clears it.
                die_with_parent(self.stop_signal)

        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=prepare,
                process_group=0,
            )

    def wait(self, answers: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not answers():
            if not self.is_running() or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
                self.stop()
                raise ServiceError(f"{self.name} did not start:\n{tail}")
            time.sleep(0.01)

    @property
    def returncode(self) -> int | None:
        return self.process.returncode if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process is None or not self.is_running():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


class Postgres(Service):
    """PostgreSQL on a unix socket.

    It refuses root and users without a name. In a user namespace of its own, with nobody mapped, either is `nobody`.
    """

    FLAGS = (
        "listen_addresses=",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=300",
        "shared_buffers=64MB",
        "log_min_messages=fatal",
    )

    def __init__(self, folder: Path, binaries: Path | None = None, *, flags: tuple[str, ...] = ()) -> None:
        """`flags` come after the usual ones and overrule them."""
        super().__init__("postgres", folder, signal.SIGINT)
        self.flags = (*self.FLAGS, *flags)
        self.drop: Callable[[], None] | None = None
        self.socket = folder / "socket"
        self.data = folder / "data"
        self.binaries = binaries or find_postgres()
        self.url = f"postgres://postgres@/{self.socket}/genvid"

    def start(self) -> Self:
        self.drop = self._privilege_drop()
        for folder in (self.socket, self.data):
            folder.mkdir()
            if self.drop is _become_nobody:
                os.chown(folder, NOBODY, NOBODY)
        self._initialise(self.drop)
        self.resume()
        return self

    def crash(self) -> None:
        """Stop at once, as `pg_ctl -m immediate`: every connection is cut, nothing is written down any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_SECONDS)

    def resume(self) -> None:
        """Serve the data that is there, recovering it after a crash."""
        command = [str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.socket)]
        self.spawn(command + [word for flag in self.flags for word in ("-c", flag)], before=self.drop)
        self.wait(self._answers)

    def _privilege_drop(self) -> Callable[[], None] | None:
        if os.geteuid() != 0 and _has_a_name(os.geteuid()):
            return None
        if _libc is not None and _may_unshare():
            return _become_unmapped
        if os.geteuid() != 0:
            raise ServiceError(
                f"PostgreSQL wants a user with a name, and uid {os.geteuid()} has none. "
                "Set DATABASE_URL to a PostgreSQL server whose user may create databases."
            )
        # Default Docker refuses unshare. Nobody must then reach the binaries and the data.
        self.folder.chmod(0o711)
        if not reachable_by_nobody(self.binaries):
            self.binaries = copy_wheel(self.binaries, self.folder / "wheel")
        return _become_nobody

    def _initialise(self, drop: Callable[[], None] | None) -> None:
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [str(self.binaries / "initdb"), "-D", str(self.data), *options],
            preexec_fn=drop,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise ServiceError(f"initdb failed:\n{made.stdout[-500:]}{made.stderr[-1500:]}")

    def _answers(self) -> bool:
        import psycopg  # noqa: PLC0415 - needed only where PostgreSQL is started here

        try:
            psycopg.connect(host=str(self.socket), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Service):
    """Redis on a loopback port, in memory only, with a database for every test worker."""

    DATABASES = 64

    def __init__(self, folder: Path, binary: Path | None = None) -> None:
        super().__init__("redis", folder, signal.SIGTERM)
        self.binary = binary or find_redis()
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Self:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "databases": str(self.DATABASES),
            "save": "",
            "appendonly": "no",
            "loglevel": "warning",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._reserved.hand_over()
        self.spawn([str(self.binary), *words])
        self.wait(self._answers)
        return self

    def flush(self) -> None:
        """Forget everything: queues, cache, limits."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as line:
            line.sendall(b"FLUSHALL\r\n")
            assert line.recv(5) == b"+OK\r\n"

    def _answers(self) -> bool:
        # A process that lost the race for its port ends, so an answer from a anonymous does not count.
        time.sleep(0.01)
        if not self.is_running():
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
        return False


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _become_unmapped() -> None:
    assert _libc is not None
    if _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
