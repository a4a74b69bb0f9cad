"""For the generated tests over every endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from genvid.tests.callers import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once for a module: whatever a test does in it, it undoes."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)
