"""`manage.py end_overdue`: ends overdue videos although they are many."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from genvid.system_user import system_user
from videos.staff import staff_actions


class Command(BaseCommand):
    help = "End all videos past their deadline, which the sweep leaves to staff when they are many at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default=system_user(), help="who does it; you, unless named")

    def handle(self, *args: Any, **options: Any) -> None:
        count = staff_actions.end_overdue_videos(options["by"])
        self.stdout.write(f"A worker ends {count} overdue videos.")
