"""`manage.py drain_worker NAME`: the worker takes no new tasks, finishes the running ones, and exits."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genvid.errors import InvalidState
from genvid.system_user import system_user
from videos.staff import celery_workers


class Command(BaseCommand):
    help = "Have a worker finish what it has and end. Without a name, list the workers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="as celery calls it: celery@host")
        parser.add_argument("--by", default=system_user(), help="who does it; you, unless named")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["name"]:
                celery_workers.drain_worker(options["name"], by=options["by"])
                self.stdout.write(f"{options['name']} ends when its tasks are done.")
            else:
                self.stdout.write("\n".join(celery_workers.worker_names()) or "No worker answers.")
        except InvalidState as error:
            raise CommandError(error.message) from error
