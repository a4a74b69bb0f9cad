"""Builds an image's root in a folder by following a Dockerfile, for machines without a container engine."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dockerfile import Context, Stage, Step

START_SECONDS = 180
STOP_SECONDS = 15
SHOWN_LINES = 20
# Variables of the caller's environment that a build may see.
INHERITED = re.compile(r"PATH|HOME|LANG|LC_\w+|TMPDIR|(PIP|UV|SSL)_\w+|REQUESTS_CA_BUNDLE|\w+_(proxy|PROXY)")
# An absolute path of the image, in a command or a setting.
IMAGE_PATH = re.compile(r"(?<![\w.$/-])/(?=\w)")


class BuildFailed(Exception):
    pass


class Image:
    def __init__(self, root: Path, context: Context) -> None:
        self.root = root
        self.context = context
        self.log = root / "build.log"
        self.inherited = {name: value for name, value in os.environ.items() if INHERITED.fullmatch(name)}
        self.environment: dict[str, str] = {}
        self.folder = root
        self.commands: dict[str, list[str]] = {}

    def build(self, stages: list[Stage]) -> None:
        by_name = {stage.name: stage for stage in stages}
        *_, final = stages
        sources = [name for step in final.steps if step.word == "COPY" and (name := step.copied()[2])]
        (self.root / "tmp").mkdir(parents=True)
        for name in sources:
            self._begin(tools=Path(sys.executable).parent)
            self._take_all(by_name[name])
        # Without the tools of the machine: the image must have its own.
        self._begin()
        self._take_all(final)

    def _begin(self, tools: Path | None = None) -> None:
        self.folder = self.root
        self.environment = dict(self.inherited)
        if tools:
            self.environment["PATH"] = f"{tools}{os.pathsep}{self._path}"

    @property
    def _path(self) -> str:
        return self.environment.get("PATH", os.defpath)

    def _take_all(self, stage: Stage) -> None:
        for step in stage.steps:
            self._take(step)

    def _take(self, step: Step) -> None:
        match step.word:
            case "ENV":
                self.environment |= {name: self._expanded(value) for name, value in step.pairs().items()}
            case "WORKDIR":
                self.folder = self._made(step.value)
            case "VOLUME":
                self._made(step.value)
            case "COPY":
                self._copy(step)
            case "RUN":
                self._run_step(step)
            case "CMD" | "HEALTHCHECK":
                self.commands[step.word] = step.command()

    def _made(self, place: str) -> Path:
        path = self.root / place.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _expanded(self, value: str) -> str:
        return IMAGE_PATH.sub(f"{self.root}/", value).replace("$PATH", self._path)

    def _copy(self, step: Step) -> None:
        sources, target, stage = step.copied()
        if stage and sources != [target]:
            raise ValueError(f"not understood here: {step}")
        # Files of another stage are in place: all stages share the root.
        for source in [] if stage else sources:
            for path in self.context.files(source):
                inside = Path(path).relative_to(source) if path != source else Path(Path(path).name)
                place = self.folder / target / inside
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.context.root / path, place)

    def _run_step(self, step: Step) -> None:
        # The steps run as the caller, so the image's user is not created.
        if not step.value.startswith("useradd"):
            print(f"build: {' '.join(step.value.split())}", flush=True)
            line = IMAGE_PATH.sub(lambda _: f"{shlex.quote(str(self.root))}/", step.value)
            self.run(["sh", "-c", line], label=str(step))

    def run(self, command: list[str], *, label: str, settings: Mapping[str, str] | None = None) -> None:
        with self.log.open("a") as log:
            log.write(f"$ {label}\n")
            log.flush()
            environment = self.environment | dict(settings or {})
            code = subprocess.run(command, cwd=self.folder, env=environment, stdout=log, stderr=log).returncode
        if code:
            raise BuildFailed(f"{label}\n{self._last_lines()}\nbuild: code {code}; all that it printed: {self.log}")

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])

    def program(self, command: list[str]) -> list[str]:
        found = shutil.which(command[0], path=self._path) or ""
        if not found.startswith(f"{self.root}/"):
            raise BuildFailed(f"{command[0]} is not in the image (found: {found or 'nowhere'})")
        return [found, *command[1:]]

    def serve_and_ask(self, settings: Mapping[str, str]) -> None:
        environment = self.environment | dict(settings)
        command = self.program(self.commands["CMD"])
        with self.log.open("a") as log:
            server = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        with stopped_at_the_end(server):
            self._wait_until_healthy(server, environment)

    def _wait_until_healthy(self, server: subprocess.Popen[bytes], environment: Mapping[str, str]) -> None:
        check = self.program(self.commands["HEALTHCHECK"])
        deadline = time.monotonic() + START_SECONDS
        while True:
            asked = subprocess.run(check, cwd=self.folder, env=environment, capture_output=True, text=True)
            if server.poll() is not None:
                raise BuildFailed(f"the server ended with code {server.returncode}\n{self._last_lines()}")
            if asked.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise BuildFailed(f"no answer in {START_SECONDS} s: {asked.stderr.strip()}\n{self._last_lines()}")
            time.sleep(0.2)


@contextmanager
def held_port() -> Iterator[int]:
    """A free loopback port that nobody else can take: the server shares it, since granian too sets SO_REUSEPORT."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def stopped_at_the_end(server: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
