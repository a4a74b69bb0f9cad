"""`celery -A accounts.tests.patient_worker`: a worker that waits for deliveries longer than any test takes."""

from datetime import timedelta
from typing import Any

from celery.signals import worker_init

from genvid.celery import app

__all__ = ["app"]

PATIENCE = timedelta(hours=1)


@worker_init.connect
def wait_long(**_: Any) -> None:
    from accounts.webhooks import outgoing_delivery  # noqa: PLC0415 - models can be imported only now

    outgoing_delivery.SECONDS, outgoing_delivery.LEASE = PATIENCE.total_seconds(), 2 * PATIENCE
    outgoing_delivery.SLOW_MS = PATIENCE.total_seconds() * 1000
