"""Waking a worker. The broker only speeds things up: what it loses, a sweep finds in the database."""

from typing import Any

import structlog
from celery import Task
from django.db import transaction

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
