"""Stripe's own books, to hold ours against."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from billing.gateway.client import every


def undelivered_events(since: datetime, types: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and object of each event that some endpoint has not taken. Stripe keeps events for 30 days."""
    for kinds in (types[i : i + 20] for i in range(0, len(types), 20)):
        # Stripe takes at most 20 types a call.
        for event in every("events", types=list(kinds), delivery_success=False, created={"gte": _seconds(since)}):
            yield event["type"], event["data"]["object"]


def charges(since: datetime) -> Iterator[str]:
    """The id of each charge that succeeded, newest first."""
    for charge in every("charges", created={"gte": _seconds(since)}):
        if charge["paid"] and charge["status"] == "succeeded":
            yield str(charge["id"])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
