"""Keyset pages: `?limit=` (default 20, 1 to 100) and `?cursor=`, newest first, no total count."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db.models import Model, QuerySet
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genvid.api.renderers import Page
from genvid.errors import ValidationFailed

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


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

    def decode_cursor(self, request: Request) -> Cursor | None:
        if "cursor" not in request.query_params:
            return None
        try:
            cursor = super().decode_cursor(request)
            if not _has_position(cursor):
                raise ValueError("neither place nor offset")
        except Exception as error:  # whatever a forged cursor breaks, the answer is the same
            raise ValidationFailed(details={"cursor": "Is not a cursor that this list gave out."}) from error
        return cursor

    def paginate_queryset(  # type: ignore[override]  # lists here are always querysets
        self, queryset: QuerySet[Model], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        self.limit = self.get_page_size(request)
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Response:
        meta = {
            "limit": self.limit,
            "next_cursor": self._token(self.get_next_link()),
            "previous_cursor": self._token(self.get_previous_link()),
        }
        return Response(Page(list(data), meta))

    @staticmethod
    def _token(link: str | None) -> str | None:
        return parse_qs(urlsplit(link).query)["cursor"][0] if link else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The items alone: `genvid.api.schema` wraps them into the envelope."""
        return schema


def _has_position(cursor: Cursor | None) -> bool:
    if cursor is None or cursor.position is None:
        return cursor is not None and cursor.offset > 0
    moment = datetime.fromisoformat(str(cursor.position))
    # SQLite compares in UTC: a moment that lies beyond its calendar there raises OverflowError here, not later.
    return moment.tzinfo is not None and moment.astimezone(UTC).year > 0
