"""How many messages wait in each queue, and since when the oldest does. On Redis in one trip."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings

from genvid.jobs import SENT_AT
from genvid.redis_client import client_of


@dataclass(frozen=True)
class QueueLength:
    messages: int
    oldest_seconds: float | None
    """By the clocks of sender and reader; None where the broker does not tell."""


def read_queue_lengths(names: Iterable[str]) -> dict[str, QueueLength]:
    """Raises what the broker raises."""
    return _of_redis(list(names)) if settings.REDIS_URL else _of_embedded_broker(names)


def _of_redis(names: list[str]) -> dict[str, QueueLength]:
    pipe: Any = client_of(settings.REDIS_URL).pipeline(transaction=False)
    for name in names:
        # Kombu pushes on the left and pops on the right.
        pipe.llen(name).lindex(name, -1)
    answers = pipe.execute()
    now = time.time()
    return {
        name: QueueLength(count, _age(oldest, now))
        for name, count, oldest in zip(names, answers[::2], answers[1::2], strict=True)
    }


def _age(message: bytes | None, now: float) -> float | None:
    if message is None:
        return 0.0
    sent_at = json.loads(message).get("headers", {}).get(SENT_AT)
    return max(0.0, now - sent_at) if isinstance(sent_at, int | float) else None


def _of_embedded_broker(names: Iterable[str]) -> dict[str, QueueLength]:
    pool: Any = current_app.pool
    with pool.acquire() as connection:
        channel = connection.default_channel
        return {name: QueueLength(channel._size(name), None) for name in names}
