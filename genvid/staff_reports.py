"""Breakdowns of the margin that apps above billing add to its page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class BreakdownRow:
    """`name`: of an engine, say. `units`: what was sold of it, by its heading.

    `provider_microdollars`: of what has a known cost; `unknown_costs`: how many have none.
    """

    name: str
    units: dict[str, int]
    provider_microdollars: int
    unknown_costs: int = 0


@dataclass(frozen=True)
class Breakdown:
    """`read`: the rows of UTC days, both included."""

    name: str
    title: str
    read: Callable[[date, date], Sequence[BreakdownRow]]


breakdowns: dict[str, Breakdown] = {}


def add_breakdown(breakdown: Breakdown) -> None:
    breakdowns[breakdown.name] = breakdown
