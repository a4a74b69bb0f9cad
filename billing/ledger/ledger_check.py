"""Ledger check: recomputes every wallet's figures from entries, holds and lots."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from django.db import transaction
from django.db.models import Sum

from billing.enums import EntryKind, HoldStatus
from billing.models import CreditLot, Hold, LedgerEntry, Wallet

Check = tuple[str, int, int]
"""Name, expected value, actual value."""


@dataclass(frozen=True)
class Discrepancy:
    account_id: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.account_id}: {self.what} should be {self.expected}, is {self.found}"


def check_all_wallets() -> Iterator[Discrepancy]:
    for wallet in Wallet.objects.order_by("pk").iterator():
        yield from check_wallet(wallet)


def check_wallet(wallet: Wallet) -> Iterator[Discrepancy]:
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update().get(pk=wallet.pk)
        entries = list(LedgerEntry.objects.filter(wallet=wallet).order_by("sequence"))
        holds = list(Hold.objects.filter(wallet=wallet))
        lots = CreditLot.objects.filter(wallet=wallet).aggregate(total=Sum("remaining"))["total"] or 0
    checks = [*_sums(wallet, entries, holds, lots), *_running_balances(entries), *_charges(entries, holds)]
    for what, expected, found in checks:
        if expected != found:
            yield Discrepancy(str(wallet.pk), what, expected, found)


def _sums(wallet: Wallet, entries: list[LedgerEntry], holds: list[Hold], lots: int) -> Iterator[Check]:
    balance = sum(entry.credits for entry in entries)
    yield "balance", balance, wallet.balance
    yield "held", sum(hold.amount for hold in holds if hold.status == HoldStatus.OPEN), wallet.held
    yield "lots", max(0, balance), lots


def _running_balances(entries: list[LedgerEntry]) -> Iterator[Check]:
    running = accumulate(entry.credits for entry in entries)
    for entry, expected in zip(entries, running, strict=True):
        yield f"balance_after of entry {entry.sequence}", expected, entry.balance_after


def _charges(entries: list[LedgerEntry], holds: list[Hold]) -> Iterator[Check]:
    charged = {entry.reference: -entry.credits for entry in entries if entry.kind == EntryKind.CHARGE}
    captured = {hold.reference: hold.captured for hold in holds}
    for reference in sorted(charged.keys() | captured.keys()):
        yield f"capture of {reference}", charged.get(reference, 0), captured.get(reference, 0)
