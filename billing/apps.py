from importlib import import_module
from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        import_module("billing.receivers")
        import_module("billing.receivers.stripe_mirror").prepare()
        seeds = import_module("billing.seeds")
        post_migrate.connect(seeds.seed_rates, sender=self, dispatch_uid="billing.seed_rates")
        post_migrate.connect(seeds.seed_tiers, sender=self, dispatch_uid="billing.seed_tiers")
        post_migrate.connect(seeds.seed_plans, sender=self, dispatch_uid="billing.seed_plans")
        gauges = import_module("billing.gauges")
        import_module("genvid.metrics").REGISTRY.register(gauges.MoneyGauges())
        worker_ready.connect(prepare_worker, dispatch_uid="billing.prepare_worker")


def prepare_worker(**_: Any) -> None:
    """A new worker looks at once for what a dead one left, and in `make run` tells the sandbox what is for sale."""
    from billing import tasks  # models are not loaded when this module is
    from genvid.broker import enqueue

    enqueue(tasks.sweep)
    if settings.STRIPE_AUTOSETUP:
        enqueue(tasks.set_up_stripe)
