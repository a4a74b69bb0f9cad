"""`manage.py check_renders`: renders at HeyGen that no video here knows, as after a restore. Exit code 1 on one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genvid.heygen.heygen_errors import HeyGenError
from videos.staff.restored_videos import unknown_renders


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unknown = list(unknown_renders())
        except HeyGenError as error:
            raise CommandError(f"HeyGen refused or did not answer: {error}") from error
        if unknown:
            raise CommandError("\n".join(["HeyGen has renders that no video here knows:", *unknown]))
        self.stdout.write("HeyGen has no render that no video here knows.")
