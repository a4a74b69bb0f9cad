"""Clocks that stand still: Python's, and that of PostgreSQL on the connection of the test. And the end of a day."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import time_machine
from django.db import connection
from django.utils import timezone

# PostgreSQL looks into pg_catalog first, unless the path names it at another place.
STOP = """
CREATE SCHEMA still_clock;
CREATE FUNCTION still_clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT current_setting('genvid.now')::timestamptz $$;
SET search_path = still_clock, pg_catalog, public;
"""
GO_ON = "DROP SCHEMA still_clock CASCADE; RESET search_path"
NEAR_SECONDS = 60.0


def wait_where_near_the_end_of(period: timedelta) -> None:
    """Wait for the end of the UTC hour or day that goes on, if it comes within a minute."""
    left = period.total_seconds() - time.time() % period.total_seconds()
    if left < NEAR_SECONDS:
        time.sleep(left)


class Clocks:
    """Both clocks, set by hand."""

    def __init__(self, python: time_machine.Traveller) -> None:
        self._python = python
        self.move_to(timezone.now())

    def move_to(self, moment: datetime) -> None:
        self._python.move_to(moment)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('genvid.now', %s, false)", [moment.isoformat()])

    def shift(self, span: timedelta | float) -> None:
        self.move_to(timezone.now() + (span if isinstance(span, timedelta) else timedelta(seconds=span)))


@contextmanager
def still_clocks(moment: datetime | None = None) -> Iterator[Clocks]:
    """Both clocks at `moment`, or as it is now, until they are moved. Needs the database."""
    with time_machine.travel(moment or timezone.now(), tick=False) as python:
        with connection.cursor() as cursor:
            cursor.execute(STOP)
        try:
            yield Clocks(python)
        finally:
            # A transaction that has failed takes all of it back anyway.
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute(GO_ON)
