"""Application configuration of billing: seeds, receivers, gauges, dj-stripe's patches."""

from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate

from billing import jobs
from genvid.jobs import enqueue
from genvid.metrics import REGISTRY


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        # Receivers connect and composers register themselves.
        from billing import djstripe_receivers, gauges, mail_composers, receivers  # noqa: F401, PLC0415 - models are loaded only now
        from billing.plans import seeds  # noqa: PLC0415 - models are loaded only now
        from billing.stripe import djstripe_patches  # noqa: PLC0415 - models are loaded only now

        djstripe_patches.apply_patches()
        post_migrate.connect(seeds.seed_rates, sender=self, dispatch_uid="billing.seed_rates")
        post_migrate.connect(seeds.seed_fees, sender=self, dispatch_uid="billing.seed_fees")
        post_migrate.connect(seeds.seed_tiers, sender=self, dispatch_uid="billing.seed_tiers")
        post_migrate.connect(seeds.seed_plans, sender=self, dispatch_uid="billing.seed_plans")
        REGISTRY.register(gauges.MoneyGauges())
        worker_ready.connect(prepare_worker, dispatch_uid="billing.prepare_worker")


def prepare_worker(**_: Any) -> None:
    enqueue(jobs.SWEEP)
    # `make run` sets this: the sandbox learns the price list.
    if settings.STRIPE_AUTOSETUP:
        enqueue(jobs.SET_UP_STRIPE)
