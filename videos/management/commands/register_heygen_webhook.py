"""`manage.py register_heygen_webhook [--rotate]`: registers our webhook at HeyGen and stores its signing secret."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genvid.heygen.heygen_errors import HeyGenError
from videos.provider import webhook_registration


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rotate", action="store_true", help="Ask for a new secret; the old one is taken for a day."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["rotate"]:
                webhook_registration.rotate_secret()
            elif not webhook_registration.ensure_registered():
                raise CommandError("HeyGen did not answer as hoped; the log says more.")
        except HeyGenError as error:
            raise CommandError(f"HeyGen did not answer as hoped: {error}") from error
        self.stdout.write(f"HeyGen calls {webhook_registration.webhook_url()}.")
