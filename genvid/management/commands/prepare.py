"""`manage.py prepare`: prepares database and demo administrator before `make run` serves, in one process."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from genvid.celery import app
from genvid.own_database import remove_sqlite


class Command(BaseCommand):
    help = "Migrates the database if needed, makes the folders and the demo administrator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in (settings.MEDIA_ROOT, settings.STATIC_ROOT, settings.EMAIL_FILE_PATH):
            Path(folder).mkdir(parents=True, exist_ok=True)
        self.migrate()
        if settings.EMBEDDED_BROKER_FILE:
            renew_broker(settings.EMBEDDED_BROKER_FILE)
        if os.environ.get("DEMO_ADMIN_PASSWORD"):
            call_command("ensure_demo_admin")

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not plan:
            self.stdout.write("The database is up to date.")
            return
        self.stdout.write(f"Bringing the database up to date: {len(plan)} migrations.")
        call_command("migrate", interactive=False, verbosity=0)


def renew_broker(file: Path) -> None:
    """Start with an empty broker: messages of killed workers are stale, and the first sweep finds what is due.

    One process makes tables and queues: concurrent ones race for them, and a losing worker exits.
    """
    remove_sqlite(file)
    with app.connection_for_write() as broker, broker.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).declare()
