"""The whole service as real processes, on loopback and in one folder, for the pipeline bench and the chaos run."""

import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from genvid.sandbox.process import SandboxProcess
from genvid.tests.plugin import TEST_ENVIRONMENT
from genvid.tests.processes import WebProcess, WorkerProcess
from genvid.tests.services import Postgres, Redis, make_folder


class Deployment:
    """`with Deployment(…) as deployment:` services and web run, Django is set up, and no worker runs yet.

    It changes the environment of this process, so one process runs one deployment, and outside of pytest.
    """

    def __init__(self, environment: Mapping[str, str], *, postgres_flags: tuple[str, ...], **sandbox: Any) -> None:
        """`environment` is for this process and all others, `sandbox` for SandboxProcess."""
        self.folder = make_folder()
        self.var = self.folder / "var"
        self.postgres = Postgres(self.folder, flags=postgres_flags)
        self.redis = Redis(self.folder)
        self.sandbox = SandboxProcess(self.var, api_key=TEST_ENVIRONMENT["HEYGEN_API_KEY"], **sandbox)
        self.web = WebProcess(self.folder)
        self.workers: list[WorkerProcess] = []
        self._environment = environment
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
        self._open.enter_context(self.postgres).start()
        self._open.enter_context(self.redis).start()
        self._open.enter_context(self.sandbox)
        self._set_environment()
        set_up_django()
        self._open.enter_context(self.web).start()
        self._open.callback(self.stop_workers)

    def _set_environment(self) -> None:
        os.environ.pop("GENVID_EMBEDDED", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "genvid.settings"
        os.environ.update(TEST_ENVIRONMENT | self._environment)
        os.environ.update(
            GENVID_VAR=str(self.var),
            DATABASE_URL=f"postgres://postgres@/{self.postgres.socket}/postgres",
            REDIS_URL=self.redis.url,
            HEYGEN_BASE_URL=self.sandbox.url,
            PUBLIC_URL=self.web.url,
            PORT=str(self.web.port),
        )

    def launch_workers(self, workers: Iterable[WorkerProcess]) -> None:
        """Start them all without waiting until they are ready."""
        self.workers = [*workers]
        for worker in self.workers:
            worker.launch()

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.workers = []

    def logs(self) -> list[Path]:
        return sorted(self.folder.glob("*.log"))

    def keep_logs(self, target: Path) -> None:
        """Copy them out of the temporary folder, which the next run of any test removes."""
        target.mkdir(parents=True, exist_ok=True)
        for log in (*self.logs(), *self.var.rglob("*.log"), *self.var.rglob("books.sqlite3")):
            shutil.copy(log, target)

    def remove_folder(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def set_up_django() -> None:
    """Create the tables by the migrations, or straight from the models while a migration has still to be written."""
    django.setup()
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    except SystemExit:
        settings.MIGRATION_MODULES = dict.fromkeys(app.label for app in apps.get_app_configs())
    call_command("migrate", run_syncdb=True, verbosity=0)
    # This process prints results: a line for every request of every customer would drown them.
    logging.disable(logging.WARNING)
