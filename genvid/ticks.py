"""The messages of the schedule: of each entry at most one waits, and none expires.

An expiry would be a moment of beat's clock, which each worker compares with its own: one whose clock is ahead would
drop every tick. Instead beat sends no tick while the one before waits. With Redis a key says that one waits, and the
worker that takes the tick deletes it; the embedded broker is asked for the message itself.

The key lives for some periods, so that a tick that was lost with its worker is sent again; twice as long each time that
nobody has taken one, so that few messages pile up while no worker runs.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import current_app
from django.conf import settings

from genvid import cache

logger = structlog.get_logger(__name__)
PERIODS = 3
MIN_LIFETIME_SECONDS = 15.0
MAX_LIFETIME_SECONDS = 3600.0
SENT_BY_BEAT = "celery_beat_task"
"""The header that Celery adds to messages of beat."""


class WaitingTicks:
    """What beat knows of the ticks that it sent."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lost_at: dict[str, float] = {}
        self._lifetimes: dict[str, float] = {}

    def reserve(self, task: str, queue: str, period: float) -> bool:
        """Whether a tick may be sent now. True also where nobody can tell."""
        if not settings.REDIS_URL:
            return not _waits_in_embedded_broker(task, queue)
        lifetime = self._lifetime(task, max(period * PERIODS, MIN_LIFETIME_SECONDS))
        if not cache.is_first_in(_key(task), lifetime):
            return False
        self._lifetimes[task], self._lost_at[task] = lifetime, self._clock() + lifetime
        return True

    def release(self, task: str) -> None:
        """The tick was not sent."""
        self._lost_at.pop(task, None)
        mark_taken(task)

    def settle(self, task: str) -> None:
        """There is nothing to do: the last tick was taken, or nobody misses it."""
        self._lost_at.pop(task, None)

    def _lifetime(self, task: str, first: float) -> float:
        nobody_took_it = task in self._lost_at and self._clock() >= self._lost_at[task]
        longer = min(2 * self._lifetimes.get(task, first), max(first, MAX_LIFETIME_SECONDS))
        return longer if nobody_took_it else first


def mark_taken(task: str) -> None:
    """A worker has taken the tick: beat may send the next."""
    if settings.REDIS_URL:
        cache.delete(_key(task))


def _key(task: str) -> str:
    return f"genvid.tick:{task}"


def _waits_in_embedded_broker(task: str, queue: str) -> bool:
    try:
        pool: Any = current_app.pool
        with pool.acquire() as connection:
            return bool(connection.default_channel.has_waiting(queue, task))
    except Exception as error:  # noqa: BLE001 - a needless message harms less than a missing one
        logger.debug("tick_unknown", task=task, error=repr(error))
        return False
