"""`manage.py sync_avatars`: mirror HeyGen's looks and voices now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from avatars.catalogue_sync import sync_catalogue
from genvid.heygen.heygen_client import get_client
from genvid.heygen.heygen_errors import HeyGenError


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = sync_catalogue(get_client())
        except HeyGenError as error:
            raise CommandError(f"HeyGen did not answer as hoped: {error}") from error
        self.stdout.write(f"{result.avatars} avatars, {result.voices} voices; {result.retired} retired.")
