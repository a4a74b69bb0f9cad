"""`manage.py check_files [--sample 1000]`: whether completed videos have their files. Exit code 1 where one has not."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from videos.staff.restored_videos import MAX_NAMED, count_files


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=0, help="as many videos, chosen at random; 0: all")

    def handle(self, *args: Any, sample: int, **options: Any) -> None:
        count, missing = count_files(sample)
        if missing:
            more = [f"and {len(missing) - MAX_NAMED} more"] if len(missing) > MAX_NAMED else []
            raise CommandError("\n".join([f"{len(missing)} files are missing:", *missing[:MAX_NAMED], *more]))
        self.stdout.write(f"{count} videos have their files.")
