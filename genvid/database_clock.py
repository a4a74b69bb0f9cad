"""The database's clock, which all processes share: what it says now, and how far this process's own clock is from it.

Leases and deadlines are computed and compared in SQL (`genvid.leasing.from_now`). Moments that Python needs come from
`now`: workers measure the difference before a task, at most every `MEASURE_SECONDS`. A process that has not measured
goes by its own clock.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from django.dispatch import Signal
from django.utils import timezone

from genvid.process_cache import ProcessCache

logger = structlog.get_logger(__name__)
MEASURE_SECONDS = 30.0
VALID_SECONDS = 300.0
"""So long a measure counts: the clock of a machine that sleeps stands still."""

skewed = Signal()
"""This process's clock is too far from the database's. Sends `seconds`, positive where this process is ahead."""

_measured = ProcessCache(VALID_SECONDS, size=1)
_looked = ProcessCache(MEASURE_SECONDS, size=1)


def now() -> datetime:
    """By the database's clock, as it was last measured."""
    # A pair of moments, of the database and of a clock that nobody sets.
    measured: tuple[datetime, float] | None = _measured.get("")
    if measured is None:
        return timezone.now()
    return measured[0] + timedelta(seconds=time.monotonic() - measured[1])


def measure() -> float:
    """Ask the database for its time. Returns the seconds by which this process's clock is ahead of it.

    SQLite has no clock but that of the process that asks.
    """
    if connection.vendor != "postgresql":
        return 0.0
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    own, ended = timezone.now(), time.monotonic()
    # The answer was on its way for half of the time.
    moment += timedelta(seconds=(ended - began) / 2)
    _measured.keep("", (moment, ended))
    return (own - moment).total_seconds()


def measure_now_and_then() -> None:
    """Before a task, and with beat's heartbeats. Whatever fails here, they must go on."""
    if _looked.get(""):
        return
    _looked.keep("", True)
    try:
        seconds = measure()
        if abs(seconds) > settings.CLOCK_SKEW_ALARM_SECONDS:
            skewed.send(sender=None, seconds=seconds)
    except Exception as error:  # noqa: BLE001 - as the docstring says
        logger.warning("clock_not_measured", error=repr(error))
