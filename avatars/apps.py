from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig

from avatars import jobs
from genvid.jobs import enqueue


class AvatarsConfig(AppConfig):
    name = "avatars"

    def ready(self) -> None:
        # The receivers connect themselves.
        from avatars import receivers  # noqa: F401, PLC0415 - models are loaded only now

        worker_ready.connect(fill_empty_catalogue, dispatch_uid="avatars.fill_empty_catalogue")


def fill_empty_catalogue(**_: Any) -> None:
    """Sync the catalogue at the first start of an installation; afterwards the nightly run does."""
    enqueue(jobs.SYNC_WHEN_EMPTY)
