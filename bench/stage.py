"""The real processes, on loopback and in one folder. Services and web are there for all cases, workers for each."""

import logging
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from bench.plan import NAIVE_POLL, SETTINGS, THREADS, WORKERS, Case
from genvid.sandbox.process import SandboxProcess
from genvid.tests.plugin import TEST_ENVIRONMENT
from genvid.tests.process_table import descendants
from genvid.tests.processes import WebProcess, WorkerProcess
from genvid.tests.services import Postgres, Redis, Service, make_folder

DURABLE = ("synchronous_commit=on", "fsync=on", "full_page_writes=on", "shared_buffers=128MB")
WALLET_DOLLARS = 10_000_000
FOREIGN = ("DATABASE_URL", "REDIS_URL", "GENVID_EMBEDDED")
TICKS = os.sysconf("SC_CLK_TCK")


class NaiveWorker(WorkerProcess):
    def launch(self) -> None:
        options = ["-n", f"{self.name}@%h", "-P", "threads", "-c", str(self.concurrency), "-l", "INFO"]
        options += ["--without-mingle", "--without-gossip"]
        self.spawn_module("celery", "-A", "bench.naive_worker", "worker", *options)

    def start(self) -> Self:
        self.launch()
        return self


class Stage:
    """`with Stage() as stage:` the services run, Django is set up, and no worker works."""

    def __init__(self) -> None:
        self.folder = make_folder()
        self.counts = self.folder / "counts"
        self.postgres = Postgres(self.folder, flags=DURABLE)
        self.redis = Redis(self.folder)
        var = self.folder / "var"
        self.sandbox = SandboxProcess(var, renderer="canned", api_key=TEST_ENVIRONMENT["HEYGEN_API_KEY"])
        self.web = WebProcess(self.folder)
        self.workers: list[WorkerProcess] = []
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
        self.counts.mkdir()
        (self.folder / "var").mkdir()
        self._open.enter_context(self.postgres).start()
        self._open.enter_context(self.redis).start()
        self._open.enter_context(self.sandbox)
        for name in FOREIGN:
            os.environ.pop(name, None)
        os.environ.update(TEST_ENVIRONMENT | SETTINGS)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="bench.settings",
            GENVID_VAR=str(self.folder / "var"),
            DATABASE_URL=f"postgres://postgres@/{self.postgres.socket}/postgres",
            REDIS_URL=self.redis.url,
            HEYGEN_BASE_URL=self.sandbox.url,
            PUBLIC_URL=self.web.url,
            PORT=str(self.web.port),
        )
        set_up_django()
        self.web.environment["BENCH_FOLDER"] = str(self.counts)
        self._open.enter_context(self.web).start()

    def start_workers(self, case: Case) -> None:
        kind = NaiveWorker if case.design == "naive" else WorkerProcess
        environment = {
            "HEYGEN_MAX_CONCURRENT": str(case.in_flight),
            "NAIVE_POLL_SECONDS": str(NAIVE_POLL),
            "BENCH_FOLDER": str(self.counts),
        }
        self.workers = [
            kind(self.folder, name=f"{case.name}-{number}", concurrency=THREADS, beat=number == 0, **environment)
            for number in range(WORKERS)
        ]
        for worker in self.workers:
            worker.start()

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.workers = []

    def cpu_seconds(self) -> dict[str, float]:
        """Spent so far, by part."""
        web = cpu_of(self.web.pid)
        return {
            "ours": web + sum(cpu_of(worker.pid) for worker in self.workers),
            "web": web,
            "postgres": cpu_of(_pid_of(self.postgres)),
            "redis": cpu_of(_pid_of(self.redis)),
            "sandbox": cpu_of(self.sandbox.pid),
        }

    def clear_away(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _pid_of(service: Service) -> int:
    if service.process is None:
        raise RuntimeError(f"{service.name} was not started")
    return service.process.pid


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and everything below it, the children that have ended included."""
    total = 0
    for each in (pid, *descendants(pid)):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def set_up_django() -> None:
    """The tables straight from the models: how they came about is not measured."""
    django.setup()
    settings.MIGRATION_MODULES = dict.fromkeys(app.label for app in apps.get_app_configs())
    call_command("migrate", run_syncdb=True, verbosity=0)
    logging.disable(logging.WARNING)
