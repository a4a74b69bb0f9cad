"""What is left in our wallet at HeyGen, and for how many days it lasts, from the readings that are kept of it.

Readings: the gate keeps the last one of a time in which it was shut. A table of readings is read here too once there
is one: `readings` is the only place that knows where they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from videos.provider import provider_gate

SPAN = timedelta(days=7)
"""The time whose spending tells how long the rest lasts."""
SHORTEST = timedelta(hours=1)


@dataclass(frozen=True)
class Reading:
    at: datetime
    remaining: Decimal
    """In the unit of HeyGen's answer."""


def readings(since: datetime) -> Sequence[Reading]:
    """Those since then, oldest first; empty while the balance is not known."""
    gate = provider_gate.read()
    if gate.looked_at is None or gate.looked_at < since or gate.balance_seen is None:
        return []
    known = 0 <= gate.balance_seen < provider_gate.UNLIMITED_BALANCE
    return [Reading(gate.looked_at, gate.balance_seen)] if known else []


def days_left(found: Sequence[Reading]) -> float | None:
    """At the pace at which the balance fell; what was added in between is no spending. None where that is not known."""
    if len(found) < 2 or found[-1].at - found[0].at < SHORTEST:
        return None
    falls = (before.remaining - after.remaining for before, after in pairwise(found))
    spent = sum((fall for fall in falls if fall > 0), Decimal(0))
    days = (found[-1].at - found[0].at) / timedelta(days=1)
    return float(found[-1].remaining) / (float(spent) / days) if spent > 0 else None
