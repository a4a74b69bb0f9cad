from importlib import import_module
from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.conf import settings


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        import_module("videos.receivers")
        worker_ready.connect(prepare_worker, dispatch_uid="videos.prepare_worker")
        from genvid.metrics import REGISTRY  # models are not loaded when this module is
        from videos.gauges import PipelineGauges

        REGISTRY.register(PipelineGauges())


def prepare_worker(**_: Any) -> None:
    """A new worker looks at once for what a dead one left, and in `make run` tells the sandbox where to call."""
    from genvid.broker import enqueue  # models are not loaded when this module is
    from videos import tasks

    enqueue(tasks.sweep)
    if settings.HEYGEN_WEBHOOK_AUTOREGISTER:
        enqueue(tasks.register_webhook)
