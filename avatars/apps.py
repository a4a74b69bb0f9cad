from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig


class AvatarsConfig(AppConfig):
    name = "avatars"

    def ready(self) -> None:
        worker_ready.connect(fill_empty_catalogue, dispatch_uid="avatars.fill_empty_catalogue")


def fill_empty_catalogue(**_: Any) -> None:
    """First start syncs by itself; later ones find the catalogue and leave it to the nightly run."""
    from avatars.tasks import sync_when_empty  # models are not loaded when this module is
    from genvid.broker import enqueue

    enqueue(sync_when_empty)
