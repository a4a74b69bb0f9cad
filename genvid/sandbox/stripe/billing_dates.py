"""Billing periods on the calendar."""

import calendar
from datetime import UTC, datetime, timedelta


def add_interval(moment: int, interval: str, count: int = 1, anchor: int | None = None) -> int:
    """Months keep the anchor's day of the month, or end on their last day if it is earlier."""
    start = datetime.fromtimestamp(moment, UTC)
    if interval in ("day", "week"):
        days = count * (7 if interval == "week" else 1)
        return int((start + timedelta(days=days)).timestamp())
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    wanted = start.day if anchor is None else datetime.fromtimestamp(anchor, UTC).day
    day = min(wanted, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())
