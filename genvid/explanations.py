"""A step of a price that staff read: an amount, how it came about, and the rows that prove it."""

from dataclasses import dataclass

from django.db.models import Model


@dataclass(frozen=True)
class PriceStep:
    """`row` is what the amount is read from, `how_row` what the rest is. `colour`: as of `genvid.panels.label`."""

    name: str
    amount: str
    how: str = ""
    row: Model | None = None
    how_row: Model | None = None
    colour: str = ""
