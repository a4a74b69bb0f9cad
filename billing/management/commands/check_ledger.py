"""`manage.py check_ledger`: proves every wallet from its entries, holds and lots. Exit code 1 on any discrepancy."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.ledger.ledger_check import audit
from billing.models import Wallet


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        found = [str(discrepancy) for discrepancy in audit()]
        if found:
            raise CommandError("\n".join(["The ledger does not prove:", *found]))
        self.stdout.write(f"The ledger proves: {Wallet.objects.count()} wallets.")
