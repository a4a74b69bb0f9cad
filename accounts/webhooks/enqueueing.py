"""Enqueues deliveries, with at most one message per endpoint in the queue."""

from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import jobs
from genvid import cache, request_context
from genvid.jobs import enqueue

MESSAGE_LIFETIME_SECONDS = 5
"""How long a message counts as queued. The sweep replaces a lost one after that."""


def enqueue_delivery(endpoint_id: UUID) -> None:
    if _is_first(endpoint_id):
        # It sends events of many requests.
        enqueue(jobs.DELIVER, str(endpoint_id), context=request_context.NO_REQUEST)


def enqueue_delivery_on_commit(endpoint_id: UUID) -> None:
    transaction.on_commit(partial(enqueue_delivery, endpoint_id), robust=True)


def mark_started(endpoint_id: UUID) -> None:
    """Call it before the worker reads deliveries: later commits must enqueue another message."""
    if settings.REDIS_URL:
        cache.delete(_key(endpoint_id))


def _is_first(endpoint_id: UUID) -> bool:
    if not settings.REDIS_URL:
        # Without a shared cache, `mark_started` in another process could not clear the key.
        return True
    # If the cache is down, messages are duplicated, not lost.
    return cache.is_first_in(_key(endpoint_id), MESSAGE_LIFETIME_SECONDS)


def _key(endpoint_id: UUID) -> str:
    return f"accounts.webhook-woken:{endpoint_id}"
