"""A process that dies at a chosen statement: what it had committed stays, nothing in it handles its death."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts.idempotency import LEASE
from accounts.models import IdempotencyRecord
from genvid.leasing import from_now

STORED_ANSWER = 'UPDATE "accounts_idempotencyrecord"'


class Killed(BaseException):
    """No `except Exception` catches it."""


@contextmanager
def killed_at(words: str, *, after: bool = False) -> Iterator[None]:
    """Dies before or after the first statement that begins with `words`; later its leased keys are free again."""

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(words):
            return execute(sql, params, many, context)
        if after:
            execute(sql, params, many, context)
        raise Killed

    with pytest.raises(Killed), connection.execute_wrapper(run):
        yield
    end_leases()


def end_leases() -> None:
    IdempotencyRecord.objects.filter(status=None).update(claimed_at=from_now(-LEASE * 2))
