"""Waking a worker. The broker only speeds things up: what it loses, a sweep finds in the database."""

from typing import Any

import structlog
from celery import Task
from django.db import transaction

from genvid import memory

logger = structlog.get_logger(__name__)


def enqueue(task: "Task[Any, Any]", *ids: str) -> None:
    """Send a task now. A dead broker is logged, never raised: the row is due all the same."""
    try:
        task.delay(*ids)
    except Exception as error:  # noqa: BLE001 - each transport has its own errors, and none may undo a commit
        logger.warning("broker_unavailable", task=task.name, ids=ids, error=repr(error))


def enqueue_on_commit(task: "Task[Any, Any]", *ids: str) -> None:
    """Send a task once the transaction is durable, so that the worker finds what it is told about."""

    def wake_worker() -> None:
        enqueue(task, *ids)

    transaction.on_commit(wake_worker, robust=True)


def enqueue_once_on_commit(task: "Task[Any, Any]", *, seconds: float) -> None:
    """The same for a task without ids that the schedule brings soon anyway: sent at most once in `seconds`."""

    def wake_worker() -> None:
        if memory.first_in(f"broker.sent.{task.name}", seconds):
            enqueue(task)

    transaction.on_commit(wake_worker, robust=True)


def backlog(task: "Task[Any, Any]") -> int:
    """How many messages wait in the queue of `task`, its own and others; 0 when the broker does not say."""
    queue = task.app.amqp.router.route({}, task.name)["queue"].name
    try:
        pool: Any = task.app.pool
        with pool.acquire() as connection:
            return int(connection.default_channel.queue_declare(queue=queue, passive=True).message_count)
    except Exception as error:  # noqa: BLE001 - each transport has its own errors; Redis calls an empty queue unknown
        logger.debug("backlog_unknown", queue=queue, error=repr(error))
        return 0
