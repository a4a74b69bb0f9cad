"""App configuration of videos: connects receivers, mail composers, gauges and the first sweep."""

from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.conf import settings

from avatars.uploads import references
from genvid.heygen import gate
from genvid.jobs import enqueue
from genvid.metrics import REGISTRY
from videos import jobs


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        # Importing connects the receivers and registers the composers.
        from videos import (  # noqa: F401, PLC0415 - models are loaded only now
            gauges,
            mail_composers,
            receivers,
            upload_references,
        )
        from videos.provider import provider_gate  # noqa: PLC0415 - models are loaded only now

        gate.register(provider_gate.is_open)
        references.register(upload_references.of_videos)
        references.register(upload_references.of_speeches)
        worker_ready.connect(prepare_worker, dispatch_uid="videos.prepare_worker")
        REGISTRY.register(gauges.PipelineGauges())


def prepare_worker(**_: Any) -> None:
    enqueue(jobs.SWEEP)
    if settings.HEYGEN_WEBHOOK_AUTOREGISTER:
        enqueue(jobs.REGISTER_WEBHOOK)
