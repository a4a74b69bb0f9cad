"""Pages of the catalogue, kept by each process for at most 30 seconds: most clients see the same rows.

An account to which rows were released has pages of its own; one that makes avatars or voices itself has none, so that
it sees how far they are. Creating a video always reads the rows themselves.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from orjson import Fragment

from genvid.api.renderers import Page, dump
from genvid.process_cache import ProcessCache

SECONDS = 30
_pages = ProcessCache(SECONDS, size=500)
OWNERS_SECONDS = 5
"""An account's first own avatar may be missing for so long from the pages of another process."""
_owners = ProcessCache(OWNERS_SECONDS, size=1)
Read = Callable[[UUID | None], Page]


def page_of(
    kind: str, query: str, account_id: UUID, read_owners: Callable[[], Mapping[UUID, bool]], read: Read
) -> tuple[Page, bool]:
    """What `read` makes of these query parameters, and whether it was read just now.

    From the rows of all and, where the account has its own, of this account alone.
    """
    makes_its_own = _owners.remembered("", lambda: dict(read_owners())).get(account_id)
    if makes_its_own:
        return read(account_id), True
    owner = None if makes_its_own is None else account_id
    return _kept(kind, query, owner, read), False


def shared_page_of(kind: str, query: str, read: Read) -> Page:
    """For a query that leaves out what belongs to an account."""
    return _kept(kind, query, None, read)


def _kept(kind: str, query: str, owner: UUID | None, read: Read) -> Page:
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
