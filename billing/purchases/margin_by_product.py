"""What was charged for, by the first word of the reference: `video:…`, `avatar:…`, `voice:…`, `speech:…`.

Billing does not know what the words mean.
"""

from collections.abc import Sequence
from datetime import date

from django.db.models import Count, Sum, Value
from django.db.models.functions import Concat, Left, StrIndex

from billing.purchases.daily_margin import captured_holds
from billing.purchases.margin import UNKNOWN_COSTS
from genvid.staff_reports import BreakdownRow

FIRST_WORD = Left("reference", StrIndex(Concat("reference", Value(":")), Value(":")) - 1)


def by_product(first: date, last: date) -> Sequence[BreakdownRow]:
    """UTC days, both included; what earned the most credits first. One query."""
    sums = {"charges": Count("pk"), "credits": Sum("captured"), "known": Sum("provider_microdollars")}
    rows = captured_holds(first, last).values(product=FIRST_WORD).annotate(**sums, unknown=UNKNOWN_COSTS)
    return [
        BreakdownRow(
            row["product"],
            {"charges": row["charges"], "credits": int(row["credits"])},
            int(row["known"] or 0),
            row["unknown"],
        )
        for row in rows.order_by("-credits", "product")
    ]
