"""`celery -A videos.tests.chaos.hasty_worker`: own material waits seconds, where it usually waits minutes or a day."""

from datetime import timedelta
from typing import Any

from celery.signals import worker_init

from genvid.celery import app

__all__ = ["app"]

SETTLE_TIME = timedelta(seconds=25)
"""Longer than an order may be under way: looked up, then sent, then stalled."""
DAILY_JOBS = 10.0


@worker_init.connect
def make_haste(**_: Any) -> None:
    from avatars import jobs  # noqa: PLC0415 - models can be imported only now

    _hurry_creations()
    _hurry_uploads()
    _hurry_speech()
    for job in (jobs.SYNC, jobs.REMOVE_ORPHANS):
        app.conf.beat_schedule[job.name]["schedule"] = DAILY_JOBS


def _hurry_creations() -> None:
    from avatars.enums import CreationKind  # noqa: PLC0415 - models can be imported only now
    from avatars.own import making, polling, removal, work  # noqa: PLC0415 - as above
    from genvid.leasing import Backoff  # noqa: PLC0415 - as above

    short, pause = Backoff(0.5, 4), timedelta(seconds=2)
    making.UNKNOWN, making.BUSY, making.FULL, making.PROBLEM = short, short, pause, pause
    making.FIRST_LOOK = dict.fromkeys(CreationKind, timedelta(seconds=1))
    polling.INTERVALS, polling.CONSENT_INTERVAL = dict.fromkeys(CreationKind, (1.0, 3.0)), (1.0, 3.0)
    polling.PROBLEM_PAUSE = pause
    removal.RETRY, removal.IN_USE_PAUSE, removal.SETTLE_TIME = short, pause, SETTLE_TIME
    work.SHUT_PAUSE = short


def _hurry_uploads() -> None:
    from avatars.uploads import assets, removal  # noqa: PLC0415 - models can be imported only now
    from genvid.leasing import Backoff  # noqa: PLC0415 - as above

    assets.UNKNOWN_AFTER = timedelta(seconds=8)
    removal.LEASE, removal.BACKOFF = timedelta(seconds=10), Backoff(0.5, 4)


def _hurry_speech() -> None:
    from videos.listening import speaking  # noqa: PLC0415 - models can be imported only now

    speaking.GATE_PAUSE, speaking.PROBE_SECONDS = 1.0, 15.0
