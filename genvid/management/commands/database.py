"""`manage.py database setup|reset`: the database of this installation, migrated, or dropped and made anew."""

import fcntl
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from genvid.own_database import OwnDatabase, Refused, own_database, remove_sqlite


class Command(BaseCommand):
    help = "Migrates this installation's database (setup), or drops it and makes it anew (reset)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("setup", help="migrate, and say what was applied")
        reset = actions.add_parser("reset", help="drop the database and set it up anew")
        reset.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, action: str, yes: bool = False, **options: Any) -> None:
        database = own_database(connection)
        try:
            if action == "reset":
                self.reset(database, ask=not yes)
            self.set_up(database)
        except Refused as error:
            raise CommandError(f"{database.label}: {error}. Nothing was changed.") from error

    def set_up(self, database: OwnDatabase) -> None:
        self.stdout.write(f"Database: {database.label}")
        if database.create_if_missing():
            self.stdout.write("Created: it was not there.")
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not plan:
            self.stdout.write(f"Nothing to apply: it has all {len(executor.loader.applied_migrations)} migrations.")
            return
        call_command("migrate", interactive=False, verbosity=0)
        for migration, _ in plan:
            self.stdout.write(f"  {migration.app_label}.{migration.name}")
        self.stdout.write(f"Applied: these {len(plan)} migrations.")

    def reset(self, database: OwnDatabase, *, ask: bool) -> None:
        if settings.STRIPE_LIVE_MODE:
            raise Refused("STRIPE_SECRET_KEY is a live key, so real money hangs on it")
        with folder_claimed(settings.VAR_DIR):
            database.check_may_be_dropped()
            if ask:
                self.confirm(database)
                database.check_may_be_dropped()
            database.recreate()
            delete_stale_messages(settings.VAR_DIR)
        self.stdout.write("Dropped: everything in it is gone.")
        kept = f"the files under {settings.S3_BUCKET or settings.MEDIA_ROOT}, of which no row tells any more"
        self.stdout.write(f"Kept: {kept}{', and the messages in Redis' if settings.REDIS_URL else ''}.")

    def confirm(self, database: OwnDatabase) -> None:
        if not sys.stdin.isatty():
            raise Refused("there is no terminal to ask on; --yes goes on without")
        self.stdout.write(f"Database: {database.label}")
        if input("Drop it, with everything in it? Type yes: ").strip() != "yes":
            raise Refused("the answer was not yes")


@contextmanager
def folder_claimed(var: Path) -> Iterator[None]:
    """Prevents `make run` from starting in the folder: it holds the same lock while it runs."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"`make run` is running on {var}; stop it first") from None
        yield


def delete_stale_messages(var: Path) -> None:
    """Delete broker messages about deleted rows, and the marker that lets `make run` skip preparation."""
    (var / "prepared").unlink(missing_ok=True)
    if settings.EMBEDDED_BROKER_FILE:
        remove_sqlite(settings.EMBEDDED_BROKER_FILE)
