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

from genvid.tests.services import Service, free_port


def current_database_url() -> str:
    """The database this test uses (`test_…_gw0`), as a URL for a child process."""
    given = connection.settings_dict
    name, host = given["NAME"], given["HOST"]
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
        environment = os.environ | {"DATABASE_URL": current_database_url(), "PYTHONUNBUFFERED": "1"}
        self.spawn([sys.executable, "-m", *words], environment=environment | self.environment)

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    def kill9(self) -> None:
        """Kill the whole group at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class WorkerProcess(OwnProcess):
    """`celery worker`. Start several with different names to let them race."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "worker",
        concurrency: int = 4,
        beat: bool = False,
        **environment: str,
    ) -> None:
        super().__init__(name, folder, environment)
        self.concurrency = concurrency
        self.beat = beat

    def start(self) -> Self:
        options = ["-n", f"{self.name}@%h", "-P", "threads", "-c", str(self.concurrency), "-l", "INFO"]
        options += ["--without-mingle", "--without-gossip"]
        if self.beat:
            options += ["-B", "-s", str(self.folder / f"{self.name}-beat")]
        self.spawn_module("celery", "-A", "genvid", "worker", *options)
        self.wait(lambda: " ready." in self.output())
        return self


class WebProcess(OwnProcess):
    """granian on a free loopback port."""

    def __init__(self, folder: Path, *, name: str = "web", threads: int = 4, **environment: str) -> None:
        super().__init__(name, folder, environment)
        self.threads = threads
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)]
        options += ["--workers", "1", "--blocking-threads", str(self.threads)]
        self.environment |= {"PORT": str(self.port), "PUBLIC_URL": self.url}
        self.spawn_module("granian", *options, "genvid.wsgi:application")
        self.wait(lambda: answers(f"{self.url}/healthz"))
        return self


def answers(url: str) -> bool:
    """Whether `url` says 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - our own loopback address
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False
