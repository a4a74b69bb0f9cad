"""Transactions without needless savepoints."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def joined() -> Iterator[None]:
    """A transaction of its own, or part of the open one without a savepoint: then an exception undoes the whole of it.

    Not for a block whose exceptions are caught inside an outer transaction.
    """
    with transaction.atomic(savepoint=not is_in_transaction()):
        yield


def is_in_transaction() -> bool:
    """Whether a transaction is open. Inside it nobody may call the outside world."""
    blocks = transaction.get_connection().atomic_blocks
    # A test's own transaction is none to the code under test; Django's `durable` treats it so, too.
    return bool(blocks) and not blocks[-1]._from_testcase
