"""`manage.py setup_stripe`: products, prices, customer portal and webhook at Stripe. Safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import stripe_setup


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            url = stripe_setup.set_up_stripe()
        except BillingError as error:
            raise CommandError(f"Stripe refused or did not answer: {error}") from error
        self.stdout.write(f"Stripe sells what the price list has, and calls {url}.")
