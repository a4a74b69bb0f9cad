"""The proof: every wallet's figures, recomputed from what they stand for."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from django.db.models import Sum

from billing.enums import HoldStatus
from billing.models import CreditLot, Hold, LedgerEntry, Wallet


@dataclass(frozen=True)
class Discrepancy:
    account_id: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.account_id}: {self.what} should be {self.expected}, is {self.found}"


def audit() -> Iterator[Discrepancy]:
    """Every wallet whose balance, holds, lots or running balances do not follow from its rows."""
    for wallet in Wallet.objects.order_by("pk").iterator():
        yield from audit_wallet(wallet)


def audit_wallet(wallet: Wallet) -> Iterator[Discrepancy]:
    entries = list(LedgerEntry.objects.filter(wallet=wallet).order_by("sequence"))
    running = list(accumulate(entry.credits for entry in entries))
    balance = running[-1] if running else 0
    open_holds = Hold.objects.filter(wallet=wallet, status=HoldStatus.OPEN)
    held = open_holds.aggregate(total=Sum("amount"))["total"] or 0
    lots = CreditLot.objects.filter(wallet=wallet).aggregate(total=Sum("remaining"))["total"] or 0
    checks = [
        ("balance", balance, wallet.balance),
        ("held", held, wallet.held),
        ("lots", max(0, balance), lots),
    ]
    checks += [
        (f"balance_after of entry {entry.sequence}", expected, entry.balance_after)
        for entry, expected in zip(entries, running, strict=True)
    ]
    for what, expected, found in checks:
        if expected != found:
            yield Discrepancy(str(wallet.pk), what, expected, found)
