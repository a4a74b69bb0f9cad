"""`manage.py reconcile_stripe [--days 35]`: compares with Stripe. Exit code 1 when something is unresolved."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.stripe.stripe_errors import BillingError
from billing.stripe_sync import reconciliation


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=35, help="Days to compare.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = reconciliation.reconcile(options["days"])
        except BillingError as error:
            raise CommandError(f"Stripe refused or did not answer: {error}") from error
        if report.unresolved:
            raise CommandError(str(report))
        self.stdout.write(str(report))
