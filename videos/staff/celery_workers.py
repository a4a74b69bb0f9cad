"""Lists and drains Celery workers by name."""

import structlog
from celery import current_app as app
from django.conf import settings

from accounts import audit_log
from accounts.enums import AuditAct
from genvid.errors import InvalidState

logger = structlog.get_logger(__name__)
ANSWER_SECONDS = 2.0


def names() -> list[str]:
    """The workers that answer within ANSWER_SECONDS. Raises InvalidState where workers cannot be asked."""
    _need_remote_control()
    return sorted(name for reply in app.control.ping(timeout=ANSWER_SECONDS) or () for name in reply)


def drain(name: str, *, by: str) -> None:
    """Stops a worker from taking tasks; it finishes the running ones and exits.

    Raises InvalidState when nobody of that name answers, and without Redis.
    """
    _need_remote_control()
    for queue in app.amqp.queues:
        replies = app.control.cancel_consumer(queue, destination=[name], reply=True, timeout=ANSWER_SECONDS, limit=1)
        if not replies:
            known = ", ".join(names()) or "none"
            raise InvalidState(f"No worker {name!r} answers. Those that do: {known}.")
    # A warm shutdown: it waits for the tasks under way, and gives back what it had only reserved.
    app.control.shutdown(destination=[name])
    audit_log.record_staff_action(AuditAct.WORKER_DRAINED, staff_id=None, worker=name, by=by)
    logger.warning("worker_drained", worker=name, by=by)


def _need_remote_control() -> None:
    if not settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL:
        raise InvalidState("Workers can only be asked over Redis; `make run` has one, and Ctrl-C ends it.")
