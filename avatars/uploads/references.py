"""What refers to uploads. Apps above register their own references, so that an upload in use is never removed."""

from collections.abc import Callable, Collection
from uuid import UUID

References = Callable[[Collection[UUID]], set[UUID]]
"""Of some uploads, those that are referred to. One query for each table, however many uploads."""

_references: list[References] = []


def register(references: References) -> None:
    if references not in _references:
        _references.append(references)


def used_of(upload_ids: Collection[UUID]) -> set[UUID]:
    """Those of `upload_ids` that something refers to. Ask under the upload's row lock where it decides a removal."""
    if not upload_ids:
        return set()
    return set().union(*(references(upload_ids) for references in _references))
