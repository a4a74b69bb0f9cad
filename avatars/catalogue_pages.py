"""Pages of the catalogue, kept by each process for at most 30 seconds: most clients see the same rows.

An account to which rows were released has pages of its own. Creating a video always reads the rows themselves.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from orjson import Fragment

from genvid.api.renderers import Page, dump
from genvid.process_cache import ProcessCache

SECONDS = 30
_pages = ProcessCache(SECONDS, size=500)
_owners = ProcessCache(SECONDS, size=1)


def owner_of(account_id: UUID, read_owners: Callable[[], frozenset[UUID]]) -> UUID | None:
    """Whose pages an account sees: its own where rows were released to it, else (None) those of all."""
    return account_id if account_id in _owners.remembered("", read_owners) else None


def page_of(kind: str, query: str, owner: UUID | None, read: Callable[[UUID | None], Page]) -> Page:
    """What `read` makes of these query parameters, from the rows of all and of this owner alone."""
    return _pages.remembered((kind, query, owner), lambda: _as_json(read(owner)))


def _as_json(page: Page) -> Page:
    return Page(Fragment(dump(page.items)), page.meta)


def forget_pages(**_: Any) -> None:
    """Call after a change of the catalogue; other processes see it after SECONDS."""
    _forget()
    # Another thread may have read the former rows meanwhile.
    transaction.on_commit(_forget, robust=True)


def _forget() -> None:
    _pages.clear()
    _owners.clear()
