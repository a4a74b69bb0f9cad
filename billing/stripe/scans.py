"""Scans of Stripe's lists, for `billing.stripe_sync.reconciliation`. All raise BillingError."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.stripe.stripe_client import list_all


def undelivered_events(since: datetime, types: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and object of events that some endpoint has not accepted. Stripe keeps events for 30 days."""
    for kinds in (types[i : i + 20] for i in range(0, len(types), 20)):
        # Stripe takes at most 20 types a call.
        for event in list_all("events", types=list(kinds), delivery_success=False, created={"gte": _seconds(since)}):
            yield event["type"], event["data"]["object"]


@dataclass(frozen=True)
class ListedCharge:
    id: str
    customer_id: str
    amount_refunded: int
    is_disputed: bool


def charges(since: datetime) -> Iterator[ListedCharge]:
    for charge in list_all("charges", created={"gte": _seconds(since)}):
        if charge["paid"] and charge["status"] == "succeeded":
            yield ListedCharge(
                str(charge["id"]), str(charge["customer"] or ""), charge["amount_refunded"], bool(charge["disputed"])
            )


def warned_charges(since: datetime) -> Iterator[str]:
    for warning in list_all("radar/early_fraud_warnings", created={"gte": _seconds(since)}):
        yield str(warning["charge"])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
