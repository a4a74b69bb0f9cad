"""`manage.py pause_provider`: no new orders to HeyGen until `resume_provider`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from genvid.system_user import system_user
from videos.provider import provider_gate


class Command(BaseCommand):
    help = "Hand out no render slots until resume_provider. Videos wait, uncharged; what HeyGen has goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default=system_user(), help="who does it; you, unless named")

    def handle(self, *args: Any, **options: Any) -> None:
        provider_gate.pause(options["by"])
        self.stdout.write("Orders are paused. `resume_provider` lets them go on.")
