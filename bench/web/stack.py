"""PostgreSQL, Redis and both web servers as real processes in one folder, and Django set up in this one."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.cpu_time import cpu_of
from bench.requests.stage import ENVIRONMENT, FOREIGN
from genvid.sandbox.ports import ReservedPort
from genvid.tests.deployment import set_up_django
from genvid.tests.process_table import group
from genvid.tests.processes import WorkerProcess, answers
from genvid.tests.scripts import SCRIPTS, load_script
from genvid.tests.services import Postgres, Redis, Service, make_folder

# As PostgreSQL's own image has it, with room for all that is loaded, and LOG lines, so that statements can be counted.
POSTGRES_FLAGS = (
    "synchronous_commit=on",
    "fsync=on",
    "full_page_writes=on",
    "shared_buffers=128MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
    "log_min_messages=log",
    "log_checkpoints=off",
)
IDLE_SECONDS, IDLE_PAUSE = 60.0, 0.15
ENOUGH = "1000000000/minute"
"""Limits are checked and counted, and refuse nobody."""


class WebServer(Service):
    """Granian as the image starts it, on a port of its own."""

    def __init__(self, folder: Path, name: str, application: str) -> None:
        super().__init__(name, folder, signal.SIGTERM)
        self._application = application
        self._reserved = ReservedPort()
        self.port, self.url = self._reserved.number, self._reserved.url

    @property
    def pid(self) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid

    def stop(self) -> None:
        """With its workers, which outlive a granian that is killed because it takes too long to end."""
        super().stop()
        for pid in group(self.pid) if self.process else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_until_idle(self) -> None:
        """Until it has used no CPU for a moment: it still answers clients that have gone."""
        deadline, before = time.monotonic() + IDLE_SECONDS, -1.0
        while (used := cpu_of(self.pid)) > before and time.monotonic() < deadline:
            before = used
            time.sleep(IDLE_PAUSE)

    def start(self) -> Self:
        own = {"GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": str(self.port), "PORT": str(self.port)}
        environment = os.environ | image_environment() | own | {"PUBLIC_URL": self.url, "PYTHONUNBUFFERED": "1"}
        self._reserved.hand_over()
        self.spawn([sys.executable, "-m", "granian", self._application], environment=environment)
        self.wait(lambda: answers(f"{self.url}/healthz"))
        return self


class Worker(WorkerProcess):
    """A worker with the schedule; it makes what requests read of the queue. `pause` it while others are measured."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.is_running():
            self.resume()
        super().stop()

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)


class Stack:
    """`with Stack() as stack:` everything runs but the worker. One process has one stack, and outside of pytest."""

    def __init__(self) -> None:
        self.folder = make_folder()
        self.postgres = Postgres(self.folder, flags=POSTGRES_FLAGS)
        self.redis = Redis(self.folder)
        self.ours = WebServer(self.folder, "ours", image_application())
        self.reference = WebServer(self.folder, "reference", "bench.web.reference.wsgi:application")
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        self._open.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._open.enter_context(self.postgres).start()
        self._open.enter_context(self.redis).start()
        self._set_environment()
        set_up_django()

    def start_servers(self) -> None:
        """Once the tables are filled: what a process remembers of them for seconds is then true."""
        for server in (self.ours, self.reference):
            self._open.enter_context(server).start()

    def start_worker(self) -> Worker:
        worker = self._open.enter_context(Worker(self.folder, beat=True, concurrency=8))
        worker.start()
        return worker

    def _set_environment(self) -> None:
        (self.folder / "var" / "static").mkdir(parents=True)
        for name in FOREIGN:
            os.environ.pop(name, None)
        os.environ.update(ENVIRONMENT)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="genvid.settings",
            GENVID_VAR=str(self.folder / "var"),
            DATABASE_URL=f"postgres://postgres@/{self.postgres.socket}/postgres",
            REDIS_URL=self.redis.url,
            RATE_LIMIT_ANONYMOUS=ENOUGH,
        )


def image_environment() -> dict[str, str]:
    """What the Dockerfile tells granian: its workers, threads and interface."""
    steps = [step for step in _image_steps() if step.word == "ENV"]
    pairs = {name: value for step in steps for name, value in step.pairs().items()}
    return {name: value for name, value in pairs.items() if name.startswith("GRANIAN_")}


def image_application() -> str:
    command = next(step.command() for step in _image_steps() if step.word == "CMD")
    return str(command[-1])


def _image_steps() -> list[Any]:
    dockerfile = load_script("dockerfile")
    steps: list[Any] = dockerfile.parse_dockerfile((SCRIPTS.parent / "Dockerfile").read_text())[-1].steps
    return steps
