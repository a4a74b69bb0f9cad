"""`manage.py migrate` on a database that is in use: it waits for no lock longer than seconds, and tries again."""

from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections

from genvid.lock_waiting import Holder, run_patiently

LOCK_SECONDS = 0.5
"""Of a transaction: half of PostgreSQL's `deadlock_timeout`. Of two that wait for each other, the request goes on."""
LOCK_TRIES = 20
LONGEST_PAUSE = 10.0


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            type=float,
            default=LOCK_SECONDS,
            help="Seconds to wait for a lock on PostgreSQL, while requests wait behind it (0.5).",
        )
        parser.add_argument(
            "--lock-tries", type=int, default=LOCK_TRIES, help="How often to try where a lock is in the way (20)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection, work = connections[options["database"]], partial(super().handle, *args, **options)
        if connection.vendor != "postgresql":
            work()
            return
        self.tries = 1
        pauses = [min(2.0**number, LONGEST_PAUSE) for number in range(options["lock_tries"] - 1)]
        run_patiently(connection, work, lock_seconds=options["lock_timeout"], pauses=pauses, tell=self.tell)

    def tell(self, holders: list[Holder], pause: float) -> None:
        self.tries += 1
        self.stdout.write("\n  A lock is in the way, and nobody shall wait behind this migration.")
        for each in holders:
            self.stdout.write(f"  Held by {each}")
        self.stdout.write(f"  Try {self.tries} follows in {pause:g} s. To end a holder: SELECT pg_terminate_backend(…)")
        self.stdout.flush()
