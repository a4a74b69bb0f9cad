"""`manage.py resume_provider`: ends a pause."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from genvid.system_user import system_user
from videos.provider import provider_gate


class Command(BaseCommand):
    help = "Take pause_provider back. With --open, also open a gate that HeyGen's answers closed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default=system_user(), help="who does it; you, unless named")
        parser.add_argument("--open", action="store_true", help="HeyGen will take orders again: do not wait to probe")

    def handle(self, *args: Any, **options: Any) -> None:
        provider_gate.resume(options["by"])
        if options["open"]:
            provider_gate.reopen(options["by"])
        self.stdout.write("Orders go out again.")
