"""`manage.py check_ledger`: recomputes every wallet from its entries, holds and lots. Exit code 1 on a discrepancy."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.ledger.ledger_check import check_all_wallets
from billing.models import Wallet


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        found = [str(discrepancy) for discrepancy in check_all_wallets()]
        if found:
            raise CommandError("\n".join(["The ledger does not prove:", *found]))
        self.stdout.write(f"The ledger proves: {Wallet.objects.count()} wallets.")
