"""`manage.py restore_check`: whether a restored installation is whole. Exit code 1 when a part is not.

The parts are commands of their own, of the apps that know: migrations, ledger, files, Stripe, renders at HeyGen.
"""

from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Checks migrations, ledger, files of completed videos, and with Stripe and HeyGen what they have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=1000, help="videos whose files are looked for; 0: all")
        parser.add_argument("--offline", action="store_true", help="ask neither Stripe nor HeyGen")

    def handle(self, *args: Any, sample: int, offline: bool, **options: Any) -> None:
        parts: dict[str, tuple[str, dict[str, Any]]] = {
            "migrations": ("migrate", {"check_unapplied": True}),
            "ledger": ("check_ledger", {}),
            "files": ("check_files", {"sample": sample}),
        }
        if not offline:
            parts |= {"stripe": ("check_stripe", {}), "renders": ("check_renders", {})}
        failed = [name for name, (command, given) in parts.items() if not self._passes(name, command, given)]
        if failed:
            raise CommandError(f"Not whole: {', '.join(failed)}.")

    def _passes(self, name: str, command: str, given: dict[str, Any]) -> bool:
        out = StringIO()
        try:
            call_command(command, stdout=out, **given)
        except (CommandError, SystemExit) as error:
            said = str(error) if isinstance(error, CommandError) else f"to be applied:\n{out.getvalue().strip()}"
            self.stdout.write(f"{name}: {said}")
            return False
        self.stdout.write(f"{name}: {out.getvalue().strip() or 'all applied.'}")
        return True
