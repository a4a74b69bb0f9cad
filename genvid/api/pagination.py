"""Keyset pages: `?limit=` (default 20, 1 to 100) and `?cursor=`, newest first, no total count."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genvid.api.renderers import Page
from genvid.errors import ValidationFailed

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


@dataclass(frozen=True)
class Slice:
    """What a page reads: rows after `position`, newest first, or before it, oldest first, where it is reversed."""

    position: datetime | None
    offset: int
    limit: int
    is_reversed: bool = False


class KeysetPagination(CursorPagination):
    page_size = DEFAULT_LIMIT
    page_size_query_param = "limit"
    max_page_size = MAX_LIMIT
    ordering = ("-created_at", "-id")
    query_params = frozenset({"limit", "cursor"})
    offset_cutoff = 10_000  # rows that share one timestamp, at most: a bulk insert of catalogue rows

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get("limit")
        if given is None:
            return DEFAULT_LIMIT
        if not (given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= MAX_LIMIT):
            raise ValidationFailed(details={"limit": f"Must be a whole number from 1 to {MAX_LIMIT}."})
        return int(given)

    def paginate_queryset(  # type: ignore[override]  # lists here are always querysets
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        return self.paginate(partial(rows_of, queryset), request)

    def paginate(self, fetch: Callable[[Slice], Iterable[Any]], request: Request) -> list[Any]:
        """As DRF does, with rows of any source: `fetch` reads those of a slice in their order."""
        self.page_size = self.get_page_size(request)
        self.cursor, moment = self._decode(request)
        offset, reverse = (self.cursor.offset, self.cursor.reverse) if self.cursor else (0, False)
        position: Any = self.cursor and self.cursor.position
        found = list(fetch(Slice(moment, offset, self.page_size + 1, is_reversed=reverse)))
        self.page = found[: self.page_size]
        goes_on = len(found) > len(self.page)
        beyond = self._get_position_from_instance(found[-1], self.ordering) if goes_on else None
        starts_later = position is not None or offset > 0
        if reverse:
            self.page.reverse()
            self.has_next, self.has_previous = starts_later, goes_on
            self.next_position, self.previous_position = position, beyond
        else:
            self.has_next, self.has_previous = goes_on, starts_later
            self.next_position, self.previous_position = beyond, position
        return self.page

    def _decode(self, request: Request) -> tuple[Cursor | None, datetime | None]:
        if "cursor" not in request.query_params:
            return None, None
        try:
            cursor = self.decode_cursor(request)
            return cursor, _moment_of(cursor)
        except Exception as error:  # whatever a forged cursor breaks, the answer is the same
            raise ValidationFailed(details={"cursor": "Is not a cursor that this list gave out."}) from error

    def encode_cursor(self, cursor: Cursor) -> str:
        """The cursor alone, where DRF makes a link with it."""
        offset = {"o": str(cursor.offset)} if cursor.offset else {}
        side = {"r": "1"} if cursor.reverse else {}
        position = {} if cursor.position is None else {"p": cursor.position}
        return b64encode(urlencode(offset | side | position).encode("ascii")).decode("ascii")

    def get_paginated_response(self, data: Any) -> Response:
        meta = {
            "limit": self.page_size,
            "next_cursor": self.get_next_link(),
            "previous_cursor": self.get_previous_link(),
        }
        return Response(Page(list(data), meta))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The items alone: `genvid.api.schema` wraps them into the envelope."""
        return schema


def rows_of(queryset: QuerySet[Any], wanted: Slice) -> QuerySet[Any]:
    """The rows of a slice; of `queryset`, with `created_at` and `id`."""
    if wanted.position is not None:
        beyond = "created_at__gt" if wanted.is_reversed else "created_at__lt"
        queryset = queryset.filter(**{beyond: wanted.position})
    ordering = ("created_at", "id") if wanted.is_reversed else KeysetPagination.ordering
    return queryset.order_by(*ordering)[wanted.offset : wanted.offset + wanted.limit]


def _moment_of(cursor: Cursor | None) -> datetime | None:
    if cursor is None or cursor.position is None:
        if cursor is None or cursor.offset == 0:
            raise ValueError("neither position nor offset")
        return None
    moment = datetime.fromisoformat(str(cursor.position))
    # SQLite compares in UTC: a moment that lies beyond its calendar there raises OverflowError here, not later.
    if moment.tzinfo is None or moment.astimezone(UTC).year <= 0:
        raise ValueError("not a moment")
    return moment
