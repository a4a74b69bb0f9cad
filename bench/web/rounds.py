"""Runs the calls against both servers in turns, so that other load on the machine affects both alike."""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from django.utils import timezone

from bench.cpu_time import cpu_of
from bench.web import load, rows
from bench.web.calls import Call
from bench.web.load import Load
from bench.web.results import OURS, REFERENCE, Result
from bench.web.server_counts import count_requests, send
from bench.web.sizes import CLIENTS, SIGN_IN_CLIENTS, Size
from bench.web.stack import IDLE_SECONDS, Stack, WebServer, Worker
from bench.web.traffic import Traffic, write

FIRST = 8
COUNTED = 9
WORKER_SETTLED = 2.0
"""Seconds in which a resumed worker comes to date."""
Say = Callable[[str], None]


class Rounds:
    """`worker` runs only while our server is asked, and is no other server's burden."""

    def __init__(self, stack: Stack, traffic: dict[str, Traffic], size: Size, result: Result, say: Say) -> None:
        self.stack, self.traffic, self.size, self.result, self.say = stack, traffic, size, result, say
        self.servers: dict[str, WebServer] = {OURS: stack.ours, REFERENCE: stack.reference}
        self.worker: Worker | None = None

    def measure(self, calls: Sequence[Call]) -> None:
        for call in calls:
            files = {name: self._file(call, name) for name in self.servers}
            for number, name in itertools.product(range(self.size.rounds), self.servers):
                self._round(call, name, files[name], first=number == 0)
            if call.is_counted:
                self.count(call)
            ours, theirs = (self.result.figures(call.name, name).rate for name in (OURS, REFERENCE))
            self.say(f"bench: {call.title}: {ours:.1f} and {theirs:.1f} a second")

    def count(self, call: Call) -> None:
        """Ours first, while what its worker made is fresh."""
        begun = timezone.now()
        for name, server in self.servers.items():
            texts = [*itertools.islice(call.among(self.traffic[name]), COUNTED)]
            self._share_machine(name)
            self.result.figures(call.name, name).counts = count_requests(
                self.stack, server, texts, worker=self.worker if name == OURS else None
            )
        self._tidy(call, begun)

    def _file(self, call: Call, name: str) -> Path:
        return write(call.among(self.traffic[name]), self.stack.folder / f"{call.name}-{name}.requests")

    def _round(self, call: Call, name: str, file: Path, *, first: bool) -> None:
        begun = timezone.now()
        self._share_machine(name)
        if first:
            self._warm_up(call, name, file)
        with self._sign_ins(name) if call.beside_sign_ins else nullcontext():
            figures = self._drive(name, file, self.size.seconds)
        self._settle(name)
        self.result.figures(call.name, name).loads.append(figures)
        self._tidy(call, begun)

    def _warm_up(self, call: Call, name: str, file: Path) -> None:
        """One after the other at first: a process loads what it needs with its first request, and errors are shown."""
        for text in itertools.islice(call.among(self.traffic[name]), FIRST):
            send(self.servers[name], text)
        self._drive(name, file, self.size.warm_up)
        self._settle(name)

    def _settle(self, name: str) -> None:
        """Until the answers to clients that have gone burden nobody: PostgreSQL may count while the server waits."""
        deadline = time.monotonic() + IDLE_SECONDS
        self.servers[name].wait_until_idle()
        while rows.is_asked() and time.monotonic() < deadline:
            self.servers[name].wait_until_idle()

    def _drive(self, name: str, file: Path, seconds: float) -> Load:
        server = self.servers[name]
        before = cpu_of(server.pid)
        found = load.drive(server.url, file, clients=CLIENTS, seconds=seconds, settle=partial(self._settle, name))
        return replace(found, cpu=(cpu_of(server.pid) - before) * 1e6 / found.requests)

    def _sign_ins(self, name: str) -> AbstractContextManager[None]:
        file = write(self.traffic[name].login(), self.stack.folder / f"sign-ins-{name}.requests")
        most = load.SLOWEST + self.size.seconds
        return load.driving(self.servers[name].url, file, clients=SIGN_IN_CLIENTS, seconds=most)

    def _share_machine(self, name: str) -> None:
        if self.worker:
            if name == OURS:
                self.worker.resume()
                time.sleep(WORKER_SETTLED)
            else:
                self.worker.pause()

    def _tidy(self, call: Call, begun: datetime) -> None:
        if call.orders:
            rows.forget_created(begun)
