"""App configuration of avatars: connects receivers and the first sync."""

from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig

from avatars import jobs
from genvid.jobs import enqueue
from genvid.metrics import REGISTRY


class AvatarsConfig(AppConfig):
    name = "avatars"

    def ready(self) -> None:
        # Importing connects the receivers.
        from avatars import creation_gauges, mail_composers, receivers  # noqa: F401, PLC0415 - models are loaded only now
        from avatars.own import upload_references  # noqa: PLC0415 - models are loaded only now
        from avatars.uploads import references  # noqa: PLC0415 - models are loaded only now

        references.register(upload_references.of_creations)
        REGISTRY.register(creation_gauges.CreationGauges())
        worker_ready.connect(enqueue_first_sync, dispatch_uid="avatars.enqueue_first_sync")


def enqueue_first_sync(**_: Any) -> None:
    enqueue(jobs.SYNC_WHEN_EMPTY)
