"""`manage.py check_ledger`: recomputes every wallet from its entries, holds and lots. Exit code 1 on a discrepancy.

The result is kept for `/metrics`, as that of each night.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.ledger.ledger_proofs import prove_ledger


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        proof, found = prove_ledger()
        if found:
            raise CommandError("\n".join(["The ledger does not prove:", *found]))
        self.stdout.write(f"The ledger proves: {proof.wallets} wallets.")
