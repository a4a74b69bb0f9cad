"""Calendar months as Stripe counts them: the same day, or the month's last."""

from datetime import datetime

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]


def add_months(moment: datetime, months: int) -> datetime:
    moved: datetime = moment + relativedelta(months=months)
    return moved
