"""Helpers of the tests of teams."""

from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from genvid.tests.asserts import data_of
from genvid.tests.factories import Person


def acts_of(owner: Person) -> list[tuple[str, dict[str, Any]]]:
    """Action and detail of each audit entry, newest first."""
    return [(entry["act"], entry["detail"]) for entry in data_of(owner.client.get("/api/v1/audit-log"))]


def later(**span: float) -> time_machine.travel:
    """Stop the clock at a later time: `with later(days=8):`."""
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)
