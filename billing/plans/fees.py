"""Fees: prices of what is sold by the piece or by the begun minute.

A process remembers the table for REMEMBERED_SECONDS; a fee begins to hold exactly at its `valid_from`.
"""

from dataclasses import dataclass

from django.db.models.signals import post_delete, post_save

from billing.models import Fee as FeeRow
from billing.plans.rates import REMEMBERED_SECONDS
from genvid import database_clock
from genvid.errors import ProviderUnavailable
from genvid.process_cache import Remembered


@dataclass(frozen=True)
class Fee:
    what: str
    credits: int
    """For one piece, or one begun minute: `unit` says which."""
    provider_microdollars: int | None
    """What one costs us; None: unknown."""
    unit: str


def fee(what: str) -> Fee:
    """The fee in force. Raises ProviderUnavailable where none is set."""
    now = database_clock.now()
    begun = (row for row in _all_fees() if row.what == what and row.valid_from <= now)
    row = max(begun, key=lambda row: row.valid_from, default=None)
    if row is None:
        # Staff may be setting it in another process.
        _all_fees.forget()
        raise ProviderUnavailable(f"No price is set for {what}.")
    return Fee(row.what, row.credits, row.provider_microdollars, row.unit)


def _read_fees() -> list[FeeRow]:
    return list(FeeRow.objects.all())


_all_fees = Remembered(_read_fees, REMEMBERED_SECONDS)
post_save.connect(_all_fees.forget, sender=FeeRow)
post_delete.connect(_all_fees.forget, sender=FeeRow)
