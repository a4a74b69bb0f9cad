from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.conf import settings

from genvid.jobs import enqueue
from genvid.metrics import REGISTRY
from videos import jobs


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        # Receivers connect and composers register themselves.
        from videos import (  # noqa: F401, PLC0415 - models are loaded only now
            gauges,
            mail_composers,
            receivers,
        )

        worker_ready.connect(prepare_worker, dispatch_uid="videos.prepare_worker")
        REGISTRY.register(gauges.PipelineGauges())


def prepare_worker(**_: Any) -> None:
    """Runs the first sweep of a new worker and, in `make run`, registers our webhook at the sandbox."""
    enqueue(jobs.SWEEP)
    if settings.HEYGEN_WEBHOOK_AUTOREGISTER:
        enqueue(jobs.REGISTER_WEBHOOK)
