"""`manage.py check_stripe`: whether customers and running subscriptions are at Stripe as here. Exit code 1 when not.

It only reads. `reconcile_stripe` repairs.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync.stripe_comparison import differences


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(differences())
        except BillingError as error:
            raise CommandError(f"Stripe refused or did not answer: {error}") from error
        if found:
            raise CommandError("\n".join(["Stripe differs:", *found]))
        self.stdout.write("Customers and subscriptions are as at Stripe.")
