"""Lists and drains Celery workers by name. Called by the management command `drain_worker`."""

import structlog
from celery import current_app as app
from django.conf import settings

from accounts import audit_log
from accounts.enums import AuditAct
from genvid.errors import InvalidState

logger = structlog.get_logger(__name__)
ANSWER_SECONDS = 2.0


def worker_names() -> list[str]:
    """The workers that answer within ANSWER_SECONDS. Raises InvalidState without Redis."""
    _require_remote_control()
    return sorted(name for reply in app.control.ping(timeout=ANSWER_SECONDS) or () for name in reply)


def drain_worker(name: str, *, by: str) -> None:
    """The worker finishes its running tasks and exits. Raises InvalidState without its answer, and without Redis."""
    _require_remote_control()
    for queue in app.amqp.queues:
        replies = app.control.cancel_consumer(queue, destination=[name], reply=True, timeout=ANSWER_SECONDS, limit=1)
        if not replies:
            known = ", ".join(worker_names()) or "none"
            raise InvalidState(f"No worker {name!r} answers. Those that do: {known}.")
    # A warm shutdown: it finishes the running tasks and returns the reserved ones.
    app.control.shutdown(destination=[name])
    audit_log.record_staff_action(AuditAct.WORKER_DRAINED, staff_id=None, worker=name, by=by)
    logger.warning("worker_drained", worker=name, by=by)


def _require_remote_control() -> None:
    if not settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL:
        raise InvalidState("Workers can only be asked over Redis; `make run` has one, and Ctrl-C ends it.")
