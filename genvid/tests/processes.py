"""Real workers and a real web process on the test's own database, for tests that kill them."""

import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self
from urllib.parse import quote

from django.db import connection

from genvid.sandbox.ports import ReservedPort
from genvid.tests import plugin
from genvid.tests.process_table import group, wait_for_the_end_of
from genvid.tests.services import Service


def current_database_url() -> str:
    """The database this test uses (`test_…_gw0`), as a URL for a child process."""
    return database_url(connection.settings_dict["NAME"])


def database_url(name: str) -> str:
    """A database of the test's server, as a URL for a child process."""
    given = connection.settings_dict
    host = given["HOST"]
    login = quote(given["USER"], safe="")
    if given["PASSWORD"]:
        login += ":" + quote(given["PASSWORD"], safe="")
    if host.startswith("/"):
        return f"postgres://{login}@/{host}/{name}"
    return f"postgres://{login}@{host or 'localhost'}:{given['PORT'] or 5432}/{name}"


class OwnProcess(Service):
    """A process of this project, in its own group, with the test's database and further `environment`."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        super().__init__(name, folder, signal.SIGTERM)
        self.environment = environment

    def spawn_module(self, *words: str) -> None:
        plugin.start_redis()
        environment = os.environ | {"DATABASE_URL": current_database_url(), "PYTHONUNBUFFERED": "1"}
        self.spawn([sys.executable, "-m", *words], environment=environment | self.environment)

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    def kill9(self) -> None:
        """Kill the whole group at once, as a power cut would."""
        assert self.process is not None
        members = group(self.pid)
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        wait_for_the_end_of(members)

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class WorkerProcess(OwnProcess):
    """`celery worker`. Start several with different names to let them race. `queues`: all, unless named."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "worker",
        concurrency: int = 4,
        beat: bool = False,
        queues: str = "",
        app: str = "genvid",
        **environment: str,
    ) -> None:
        """With SHIFTED_SECONDS its clock is wrong."""
        super().__init__(name, folder, environment)
        self.module = "genvid.tests.shifted_celery" if "SHIFTED_SECONDS" in environment else "celery"
        self.concurrency = concurrency
        self.beat = beat
        self.queues = queues
        self.app = app

    def start(self) -> Self:
        self.launch()
        self.wait(lambda: " ready." in self.output())
        return self

    def launch(self) -> None:
        """Start, or start again, without waiting until it is ready."""
        options = ["-n", f"{self.name}@%h", "-P", "threads", "-c", str(self.concurrency), "-l", "INFO"]
        options += ["--without-mingle", "--without-gossip"]
        if self.queues:
            options += ["-Q", self.queues]
        if self.beat:
            options += ["-B", "-s", str(self.folder / f"{self.name}-beat")]
        self.spawn_module(self.module, "-A", self.app, "worker", *options)


class BeatProcess(OwnProcess):
    """`celery beat` alone."""

    def __init__(self, folder: Path, **environment: str) -> None:
        super().__init__("beat", folder, environment)

    def start(self) -> Self:
        self.spawn_module("celery", "-A", "genvid", "beat", "-l", "INFO", "-s", str(self.folder / "beat-schedule"))
        self.wait(lambda: " is starting." in self.output())
        return self


class WebProcess(OwnProcess):
    """granian on a loopback port of its own. `interface`: "wsgi", or "asginl" as it serves streams."""

    def __init__(
        self, folder: Path, *, name: str = "web", threads: int = 4, interface: str = "wsgi", **environment: str
    ) -> None:
        super().__init__(name, folder, environment)
        self.threads = threads
        self.interface = interface
        self._reserved = ReservedPort()
        self.port, self.url = self._reserved.number, self._reserved.url

    def start(self) -> Self:
        self.launch()
        self.wait(lambda: answers(f"{self.url}/healthz"))
        return self

    def launch(self) -> None:
        """Start, or start again, without waiting until it answers."""
        options = ["--interface", self.interface, "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        if self.interface == "wsgi":
            options += ["--blocking-threads", str(self.threads)]
        self.environment |= {"PORT": str(self.port), "PUBLIC_URL": self.url, "ASGI_THREADS": str(self.threads)}
        module = "genvid.wsgi" if self.interface == "wsgi" else "genvid.asgi"
        self._reserved.hand_over()
        self.spawn_module("granian", *options, f"{module}:application")


def answers(url: str, *, seconds: float = 5) -> bool:
    """Whether `url` says 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as reply:  # noqa: S310 - our own loopback address
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False
