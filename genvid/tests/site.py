"""The real `make run`, on free ports and in a folder of its own, for end-to-end tests."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from genvid.sandbox.ports import ReservedPort
from genvid.sandbox.process import unmeasured
from genvid.tests.plugin import TEST_ENVIRONMENT
from genvid.tests.process_table import descendants, wait_for_the_end_of
from genvid.tests.processes import OwnProcess, answers
from genvid.tests.services import START_SECONDS

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("GENVID_", "DJANGO_", "PYTEST_", "MAKE", "DATABASE_URL", "REDIS_URL")


def clean_environment() -> dict[str, str]:
    """The environment without variables of the tests, of coverage and of make."""
    return {
        name: value
        for name, value in unmeasured(os.environ).items()
        if name not in TEST_ENVIRONMENT and not name.startswith(FOREIGN)
    }


class EmbeddedSite(OwnProcess):
    """Runs scripts/run.py. After `kill9`, `start` starts the same installation again."""

    root = ROOT
    """The folder of the code."""

    def __init__(self, var: Path, **environment: str) -> None:
        var.mkdir(parents=True, exist_ok=True)
        super().__init__("site", var, environment)
        self._web, self._sandbox = ReservedPort(), ReservedPort()
        self.port, self.sandbox_port = self._web.number, self._sandbox.number
        self.url, self.sandbox_url = self._web.url, self._sandbox.url

    @classmethod
    def prepared(cls, var: Path, **environment: str) -> "EmbeddedSite":
        """A site that is already migrated. The first call in a run of the tests prepares the template."""
        folder = Path(os.environ["GENVID_TEST_FOLDER"])
        with (folder / "prepared.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            template = _prepare(folder / "prepared")
        shutil.copytree(template, var)
        return cls(var, **environment)

    def start(self, *, seconds: float = START_SECONDS) -> "EmbeddedSite":
        for port in (self._web, self._sandbox):
            port.hand_over()
        variables = {"GENVID_VAR": self.folder, "PORT": self.port, "SANDBOX_PORT": self.sandbox_port}
        environment = clean_environment() | {name: str(value) for name, value in variables.items()}
        self.spawn([sys.executable, str(self.root / "scripts" / "run.py")], environment=environment | self.environment)
        self.wait(lambda: answers(f"{self.url}/readyz"), seconds=seconds)
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """The variables that the first run wrote: keys and the login of the demo administrator."""
        lines = (self.folder / ".env").read_text().splitlines()
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return dict(pairs)

    def family(self) -> list[int]:
        """The pids of the site: scripts/run.py and everything below it."""
        return [self.pid, *descendants(self.pid)]

    def kill9(self) -> None:
        """Kills every process of the site at once, without cleaning up."""
        assert self.process is not None
        stopped = self._stop_all()
        for pid in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        # A killed process holds its port until the kernel has come round to it.
        wait_for_the_end_of(stopped)

    def _stop_all(self) -> list[int]:
        """Suspends every process of the site, so that none can start another."""
        stopped: list[int] = []
        while fresh := [pid for pid in self.family() if pid not in stopped]:
            for pid in fresh:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            stopped += fresh
        return stopped

    def __exit__(self, *exc: object) -> None:
        """Kills the site: an orderly stop takes seconds and has its own test."""
        if self.is_running():
            self.kill9()

    def get(self, path: str) -> bytes:
        """The body, whatever the status: `/readyz` is 503 where a part needs longer to start than it counts as well."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=900) as reply:  # noqa: S310 - our own loopback address
                return bytes(reply.read())
        except urllib.error.HTTPError as error:
            return error.read()


def _prepare(template: Path) -> Path:
    """What scripts/run.py does before it serves."""
    if not template.exists():
        draft = template.with_name("prepared.draft")
        shutil.rmtree(draft, ignore_errors=True)
        program = "import run; run.prepare(run.read_environment())"
        environment = clean_environment() | {"GENVID_VAR": str(draft)}
        subprocess.run([sys.executable, "-c", program], cwd=ROOT / "scripts", env=environment, check=True)
        draft.rename(template)
    return template
