"""Background jobs by name: Celery task name, queue, and enqueueing.

Callers need not import the task, so tasks may import services. A sweep finds in the database what the broker loses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as once
from functools import partial
from types import ModuleType
from typing import Any

import structlog
from celery import current_app
from django.db import transaction

from genvid import request_context
from genvid.coalescing import Coalesced
from genvid.request_context import RequestContext

logger = structlog.get_logger(__name__)
DEFAULT_QUEUE = "celery"
SENT_AT = "sent_at"
"""Header of every message: seconds since 1970, by the sender's clock."""


@dataclass(frozen=True)
class Job:
    """Exactly one task is registered under its name."""

    name: str
    queue: str = DEFAULT_QUEUE
    has_work: str = ""
    """Dotted path of a function that beat asks first, where most ticks would find nothing to do."""
    pause: float = 0.0
    """Seconds in which commits of a process send one message at once and one at the end. For jobs without ids."""


PRUNE = Job("genvid.prune")
HEARTBEAT = Job("genvid.heartbeat")
"""Sent to every queue, by `genvid.heartbeats`."""
PRUNE_EMBEDDED_BROKER = Job("genvid.prune_embedded_broker")
EXAMINE_NEIGHBOURS = Job("genvid.examine_neighbours", queue="outgoing")


def jobs_in(*modules: ModuleType) -> Iterator[Job]:
    for module in modules:
        yield from (value for value in vars(module).values() if isinstance(value, Job))


def enqueue(job: Job, *ids: str, context: RequestContext | None = None) -> None:
    """Send a job now. A failing broker is logged, never raised: a sweep finds the row.

    `context`: the request of the job, by default the present one. A job without ids belongs to no request.
    """
    try:
        with request_context.use((context or request_context.current()) if ids else request_context.NO_REQUEST):
            current_app.send_task(job.name, args=ids, ignore_result=True)
    except Exception as error:  # noqa: BLE001 - each transport has its own errors, and none may undo a commit
        logger.warning("broker_unavailable", task=job.name, ids=ids, error=repr(error))


def enqueue_on_commit(job: Job, *ids: str, context: RequestContext | None = None) -> None:
    if job.pause:
        transaction.on_commit(_coalesced(job), robust=True)
        return
    context = context or request_context.current()

    def send() -> None:
        enqueue(job, *ids, context=context)

    transaction.on_commit(send, robust=True)


@once
def _coalesced(job: Job) -> Coalesced:
    return Coalesced(partial(enqueue, job), job.pause)


def backlog(job: Job) -> int:
    """Messages in the queue of `job`, those of other jobs included; 0 when the broker does not answer."""
    try:
        pool: Any = current_app.pool
        with pool.acquire() as connection:
            return int(connection.default_channel.queue_declare(queue=job.queue, passive=True).message_count)
    except Exception as error:  # noqa: BLE001 - each transport has its own errors; Redis calls an empty queue unknown
        logger.debug("backlog_unknown", queue=job.queue, error=repr(error))
        return 0
