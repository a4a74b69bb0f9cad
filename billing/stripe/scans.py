"""Scans of Stripe's lists, for reconciliation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.stripe.stripe_client import every


def undelivered_events(since: datetime, types: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and object of each event that some endpoint has not accepted. Stripe keeps events for 30 days."""
    for kinds in (types[i : i + 20] for i in range(0, len(types), 20)):
        # Stripe takes at most 20 types a call.
        for event in every("events", types=list(kinds), delivery_success=False, created={"gte": _seconds(since)}):
            yield event["type"], event["data"]["object"]


@dataclass(frozen=True)
class Glance:
    """A charge as Stripe's list shows it."""

    id: str
    customer_id: str
    amount_refunded: int
    is_disputed: bool


def charges(since: datetime) -> Iterator[Glance]:
    """Succeeded charges, newest first."""
    for charge in every("charges", created={"gte": _seconds(since)}):
        if charge["paid"] and charge["status"] == "succeeded":
            yield Glance(
                str(charge["id"]), str(charge["customer"] or ""), charge["amount_refunded"], bool(charge["disputed"])
            )


def warned_charges(since: datetime) -> Iterator[str]:
    """Charges with an early fraud warning."""
    for warning in every("radar/early_fraud_warnings", created={"gte": _seconds(since)}):
        yield str(warning["charge"])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
