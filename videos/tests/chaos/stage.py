"""The real processes: PostgreSQL, Redis, sandbox, web and workers, on loopback and in one folder."""

import logging
import os
import shutil
from contextlib import ExitStack
from functools import cached_property
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from genvid.sandbox.process import SandboxProcess
from genvid.tests.plugin import TEST_ENVIRONMENT
from genvid.tests.processes import WebProcess, WorkerProcess
from genvid.tests.services import Postgres, Redis, make_folder
from genvid.tests.site import ROOT
from videos.tests.chaos.plan import BRISK, FAULTS, SLOTS_AT_SANDBOX, Plan

# A commit that was acknowledged must survive: the usual flags let it wait in shared memory.
DURABLE = ("synchronous_commit=on",)
WALLET_DOLLARS = 1_000_000
FOREIGN = ("DATABASE_URL", "REDIS_URL", "GENVID_EMBEDDED")


class Stage:
    """`with Stage(plan) as stage:` everything runs, Django is set up, and nobody has ordered yet."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.folder = make_folder()
        self.var = self.folder / "var"
        self.postgres = Postgres(self.folder, flags=DURABLE)
        self.redis = Redis(self.folder)
        self.sandbox = SandboxProcess(
            self.var, api_key=TEST_ENVIRONMENT["HEYGEN_API_KEY"], concurrency=SLOTS_AT_SANDBOX
        )
        self._open = ExitStack()

    @cached_property
    def web(self) -> WebProcess:
        return WebProcess(self.folder)

    @cached_property
    def workers(self) -> list[WorkerProcess]:
        """Every second one runs a beat of its own: while any of them lives the clock goes on."""
        return [
            WorkerProcess(self.folder, name=f"worker{number}", beat=number % 2 == 0)
            for number in range(self.plan.workers)
        ]

    def __enter__(self) -> Self:
        try:
            self._start_services()
            self._start_processes()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start_services(self) -> None:
        self.var.mkdir(parents=True)
        self._open.enter_context(self.postgres).start()
        self._open.enter_context(self.redis).start()
        self._open.enter_context(self.sandbox)
        for name in FOREIGN:
            os.environ.pop(name, None)
        os.environ.update(TEST_ENVIRONMENT | BRISK)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="genvid.settings",
            GENVID_VAR=str(self.var),
            DATABASE_URL=f"postgres://postgres@/{self.postgres.socket}/postgres",
            REDIS_URL=self.redis.url,
            HEYGEN_BASE_URL=self.sandbox.url,
            PUBLIC_URL=self.web.url,
            PORT=str(self.web.port),
        )

    def _start_processes(self) -> None:
        set_up_django()
        self._open.enter_context(self.web).start()
        self.sandbox.wallet(WALLET_DOLLARS)
        fill_catalogue_and_register()
        self.sandbox.knobs(seed=self.plan.seed, **FAULTS)
        for worker in self.workers:
            self._open.enter_context(worker).launch()

    def logs(self) -> list[Path]:
        return sorted(self.folder.glob("*.log"))

    def keep_logs(self) -> Path:
        """Out of the temporary folder, which the next run of any test clears away."""
        kept = ROOT / "var" / "chaos" / str(self.plan.seed)
        kept.mkdir(parents=True, exist_ok=True)
        for log in (*self.logs(), *self.var.rglob("*.log"), *self.var.rglob("books.sqlite3")):
            shutil.copy(log, kept)
        return kept

    def clear_away(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def set_up_django() -> None:
    """The tables, from the migrations; straight from the models while a migration has still to be written."""
    django.setup()
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    except SystemExit:
        settings.MIGRATION_MODULES = dict.fromkeys(app.label for app in apps.get_app_configs())
    call_command("migrate", run_syncdb=True, verbosity=0)
    # This process speaks for itself: a line for every request of every customer would drown it.
    logging.disable(logging.WARNING)


def fill_catalogue_and_register() -> None:
    from avatars.services import sync_catalogue  # noqa: PLC0415 - models are loaded only now
    from genvid.heygen.client import get_client  # noqa: PLC0415 - settings are read only now

    sync_catalogue(get_client())
    call_command("register_heygen_webhook", stdout=StringIO())
