"""`manage.py backup_part environment|settings|inventory`: what scripts/backup.sh and restore.sh ask of the settings."""

import csv
import os
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from genvid.configuration.declared import GROUPS

LIBPQ = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}


class Command(BaseCommand):
    help = "Prints one part of a backup: the shell's environment, the settings without secrets, the bucket's inventory."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", choices=["environment", "settings", "inventory"])

    def handle(self, *args: Any, part: str, **options: Any) -> None:
        if part == "inventory":
            csv.writer(self.stdout, lineterminator="\n").writerows(inventory())
            return
        lines = environment() if part == "environment" else given_settings()
        self.stdout.write("\n".join(f"{name}={shlex.quote(value)}" for name, value in lines))


def environment() -> Iterator[tuple[str, str]]:
    """For libpq, and where the media are. It holds the database's password: for a pipe, not for a file."""
    if connection.vendor != "postgresql":
        raise CommandError("Backups are for PostgreSQL. `make run` on SQLite: stop it and copy its folder.")
    for name, variable in LIBPQ.items():
        if value := str(connection.settings_dict[name] or ""):
            yield variable, value
    yield "MEDIA_FOLDER", "" if settings.S3_BUCKET else str(settings.MEDIA_ROOT)


def given_settings() -> Iterator[tuple[str, str]]:
    """Those that were set and are no secrets, from the environment and the files that it is read from."""
    for setting in (setting for group in GROUPS for setting in group.settings):
        if not (setting.secret or setting.internal) and setting.name in os.environ:
            yield setting.name, os.environ[setting.name]


def inventory() -> Iterator[tuple[str, int]]:
    """Name and bytes of every stored file, folder by folder."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        folders, files = _listed(default_storage, folder)
        waiting += [f"{folder}/{name}".lstrip("/") for name in sorted(folders, reverse=True)]
        for name in sorted(files):
            path = f"{folder}/{name}".lstrip("/")
            yield path, default_storage.size(path)


def _listed(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(folder)
    except FileNotFoundError:
        # Nothing was stored yet.
        print(f"{folder or 'The media folder'} does not exist.", file=sys.stderr)  # noqa: T201 - beside the inventory
        return [], []
