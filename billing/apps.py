from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        import_module("billing.receivers")
        seeds = import_module("billing.seeds")
        post_migrate.connect(seeds.seed_rates, sender=self, dispatch_uid="billing.seed_rates")
        post_migrate.connect(seeds.seed_tiers, sender=self, dispatch_uid="billing.seed_tiers")
