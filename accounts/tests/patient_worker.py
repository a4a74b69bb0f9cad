"""`celery -A accounts.tests.patient_worker`: a worker that waits for a silent receiver longer than any test lasts."""

from datetime import timedelta
from typing import Any

from celery.signals import worker_init

from genvid.celery import app

__all__ = ["app"]

PATIENCE = timedelta(hours=1)


@worker_init.connect
def wait_long(**_: Any) -> None:
    from accounts.services import delivering  # noqa: PLC0415 - models can be imported only now

    delivering.SECONDS, delivering.LEASE = PATIENCE.total_seconds(), 2 * PATIENCE
