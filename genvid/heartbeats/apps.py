"""Heartbeats as a Django app."""

from django.apps import AppConfig

from genvid.metrics import REGISTRY


class HeartbeatsConfig(AppConfig):
    name = "genvid.heartbeats"
    label = "heartbeats"
    verbose_name = "Heartbeats"

    def ready(self) -> None:
        from genvid.heartbeats import gauges  # noqa: PLC0415 - models are loaded only now

        REGISTRY.register(gauges.HeartbeatGauges())
