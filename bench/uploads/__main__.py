"""Uploads of 20 MB beside a view that reads each file whole: `python -m bench.uploads [--rounds 3]`.

Exits 1 when a goal is missed.
"""

import argparse
import http.client
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit
from uuid import uuid4

from bench.uploads.memory import Peaks
from bench.web.stack import Stack, WebServer
from genvid.tests import media_files

UPLOADS, CLIENTS, SECONDS = 20, 4, 416.6
"""A recording of that length has 20 MB."""
MEGABYTE = 1_000_000
MOST_GROWTH = 20 * MEGABYTE
BOUNDARY = "genvid-bench-boundary"
NAMES = ("ours", "reference")


@dataclass(frozen=True)
class Round:
    """Bytes of memory, and bytes a second."""

    before: int
    peak: int
    probes: int
    rate: float

    @property
    def growth(self) -> int:
        return self.peak - self.before


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.uploads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each server, in turns (3)")
    options = parser.parse_args()
    # An exception lets every `with` stop its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    with Stack() as stack:
        token = _sign_in()
        stack.start_servers()
        return report(measure(stack, token, options.rounds))


def _sign_in() -> str:
    from billing.models import Tier  # noqa: PLC0415 - models load only once Django is set up
    from genvid.tests.factories import make_caller  # noqa: PLC0415 - models load only once Django is set up

    Tier.objects.update(uploads_per_day=100_000, upload_bytes=10**12, requests_per_minute=100_000)
    return make_caller(verified=True).tokens.access_token


def measure(stack: Stack, token: str, rounds: int) -> dict[str, list[Round]]:
    content = media_files.wav(SECONDS)
    body = _form(content)
    calls = {
        "ours": (stack.ours, "/api/v1/uploads", {"Authorization": f"Bearer {token}"}),
        "reference": (stack.reference, "/reference/uploads", {}),
    }
    found: dict[str, list[Round]] = {name: [] for name in NAMES}
    for _ in range(rounds):
        for name, (server, path, headers) in calls.items():
            found[name].append(_round(server, path, headers, body, len(content) * UPLOADS))
            shutil.rmtree(stack.folder / "var" / "media", ignore_errors=True)
    return found


def _form(content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    return f"{head}Content-Type: audio/wav\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _round(server: WebServer, path: str, headers: dict[str, str], body: bytes, size: int) -> Round:
    server.wait_until_idle()

    def send(_: int) -> None:
        address = urlsplit(server.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=600)
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Idempotency-Key": uuid4().hex}
        with suppress(BrokenPipeError):  # a server that refuses answers before it has read all
            connection.request("POST", path, body, headers | kind)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != http.client.CREATED:
            raise RuntimeError(f"{path} answered {answer.status}: {said[:300]!r}")

    with Peaks(server.pid) as peaks, ThreadPoolExecutor(CLIENTS) as clients:
        begun = time.perf_counter()
        list(clients.map(send, range(UPLOADS)))
        seconds = time.perf_counter() - begun
    return Round(peaks.before, peaks.served, peaks.started, size / seconds)


def report(found: dict[str, list[Round]]) -> int:
    say(
        f"{UPLOADS} uploads of 20 MB by {CLIENTS} clients, {len(found['ours'])} rounds; memory in MB is the largest",
        "web process's, before its first round and at its peak in any; MB/s is the median",
        "",
        "| server | before | peak | grown | largest probe | MB/s |",
        "|---|---|---|---|---|---|",
    )
    for name, rounds in found.items():
        before, peak = rounds[0].before, max(each.peak for each in rounds)
        probes, rate = max(each.probes for each in rounds), median(each.rate for each in rounds)
        say(f"| {name} | {_mb(before)} | {_mb(peak)} | {_mb(peak - before)} | {_mb(probes)} | {rate / MEGABYTE:.1f} |")
    ours, reference = (max(each.peak for each in found[name]) - found[name][0].before for name in NAMES)
    rates = [median(each.rate for each in found[name]) for name in NAMES]
    say("", f"memory grown, ours to the reference: {ours / reference:.2f}; MB/s: {rates[0] / rates[1]:.2f}")
    kept = ours <= MOST_GROWTH
    say(f"{'kept  ' if kept else 'MISSED'} the web process grows by less than one file, {_mb(MOST_GROWTH)} MB")
    return 0 if kept else 1


def _mb(size: float) -> str:
    return f"{size / MEGABYTE:,.0f}"


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
