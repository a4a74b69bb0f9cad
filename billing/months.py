"""Calendar months as Stripe counts them: the same day, or the month's last."""

from datetime import datetime

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]


def later(moment: datetime, months: int) -> datetime:
    """`months` may be negative."""
    moved: datetime = moment + relativedelta(months=months)
    return moved
