"""The mail outbox as a Django app."""

from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig

from genvid.jobs import enqueue
from genvid.mail import jobs
from genvid.metrics import REGISTRY


class MailConfig(AppConfig):
    name = "genvid.mail"
    label = "mail"
    verbose_name = "Mail"

    def ready(self) -> None:
        from genvid.mail import gauges, staff_alarms  # noqa: F401, PLC0415 - models are loaded only now

        REGISTRY.register(gauges.MailGauges())
        worker_ready.connect(sweep_at_start, dispatch_uid="genvid.mail.sweep_at_start")


def sweep_at_start(**_: Any) -> None:
    enqueue(jobs.SWEEP)
