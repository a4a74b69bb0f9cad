"""What the tests of teams share: who did what, and how time passes."""

from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from genvid.tests.asserts import data_of
from genvid.tests.factories import Person


def acts_of(owner: Person) -> list[tuple[str, dict[str, Any]]]:
    """The audit log as its owner reads it, newest first: each act, and what it was done to."""
    return [(entry["act"], entry["detail"]) for entry in data_of(owner.client.get("/api/v1/audit-log"))]


def later(**span: float) -> time_machine.travel:
    """`with later(days=8):` the clock stands still, that much later."""
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)
