"""Test helper: wallets in debt."""

from billing.enums import EntryKind
from billing.models import CreditLot, LedgerEntry, Wallet
from genvid.tests.factories import Person


def make_debt(person: Person, amount: int) -> None:
    """Sets the balance to minus `amount` credits, as a clawback of spent credits would."""
    wallet = person.wallet
    credits = -(wallet.balance + amount)
    CreditLot.objects.filter(wallet=wallet).update(remaining=0)
    Wallet.objects.filter(pk=wallet.pk).update(balance=-amount)
    LedgerEntry.objects.create(
        wallet=wallet,
        sequence=wallet.entries.count() + 1,
        kind=EntryKind.CLAWBACK,
        credits=credits,
        balance_after=-amount,
        reference=f"clawback:{wallet.pk}",
    )
