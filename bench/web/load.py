"""Puts a server under load: with wrk where the machine has it, else with `bench.web.load_client`."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("requests.lua")
SLOWEST = 300
"""Seconds that an answer may take."""
LONGEST = 60
"""Seconds after which a run without any answer is not repeated."""


class LoadError(Exception):
    """The answers are not those that were to be measured."""


@dataclass(frozen=True)
class Load:
    """One run of one client. Latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int = 0
    broken: int = 0
    cpu: float = 0.0
    """Microseconds of CPU of the web process a request."""

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "bench.web.load_client"


def drive(url: str, file: Path, *, clients: int, seconds: float, settle: Callable[[], None]) -> Load:
    """Raises LoadError when any request was refused or broken. Repeats it for longer where nothing is answered in time.

    `settle` waits until the server has done with requests whose clients have gone.
    """
    while True:
        words = command(url, file, clients=clients, seconds=seconds)
        ended = subprocess.run(words, capture_output=True, text=True)  # noqa: S603 - our own words
        if ended.returncode:
            raise LoadError(f"{words[0]} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        found = parse(ended.stdout)
        if found.requests or seconds > LONGEST:
            return checked(found, file.name)
        settle()
        seconds *= 4


@contextmanager
def driving(url: str, file: Path, *, clients: int, seconds: float) -> Iterator[None]:
    """Load in the background, for at most `seconds`; its figures are not kept."""
    words = command(url, file, clients=clients, seconds=seconds)
    client = subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        yield
        if client.poll() is not None:
            raise LoadError(f"{file.name}: the clients in the background ended first")
    finally:
        client.terminate()
        client.wait()


def command(url: str, file: Path, *, clients: int, seconds: float) -> list[str]:
    key = uuid.uuid4().hex
    wrk = shutil.which("wrk")
    if not wrk:
        module = [sys.executable, "-m", "bench.web.load_client"]
        return [*module, url, str(file), key, str(clients), str(seconds)]
    # wrk takes whole seconds, and at least one.
    limits = ["-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", f"{SLOWEST}s"]
    return [wrk, *limits, "-s", str(SCRIPT), url, "--", str(file), key]


def parse(output: str) -> Load:
    for line in output.splitlines():
        if line.startswith("figures "):
            return Load(**json.loads(line.removeprefix("figures ")))
    raise LoadError(f"no figures in: {output}")


def checked(load: Load, name: str) -> Load:
    if load.refused or load.broken or not load.requests:
        raise LoadError(f"{name}: {load.refused} of {load.requests} answers were refusals, {load.broken} did not come")
    return load
