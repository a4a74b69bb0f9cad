"""Videos as rows: what clients are shown of one, read without the cost of a model instance."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from genvid.api.pagination import Slice, rows_of
from genvid.compiled_queries import CompiledQuery
from videos.models import Video, address_of


class _Columns(NamedTuple):
    id: UUID
    account_id: UUID
    status: str
    is_test: bool
    kind: str
    title: str
    script: str | None
    avatar_id: UUID | None
    voice_id: UUID | None
    picture_id: UUID | None
    audio_id: UUID | None
    speech_id: UUID | None
    format: str
    resolution: str
    language: str
    captions: bool
    background: dict[str, str] | None
    speed: float
    metadata: dict[str, str]
    warnings: list[dict[str, str]] | None
    batch_id: UUID | None
    retry_of_id: UUID | None
    credits_held: int
    credits_charged: int
    duration_seconds: Decimal | None
    file: str
    thumbnail: str
    subtitles: str
    error_code: str
    error_message: str
    error_retryable: bool
    expected_render_seconds: int
    progress_floor: int
    eta_ceiling: int | None
    waiting_reason: str
    promised_at: datetime | None
    set_aside_at: datetime | None
    stuck_at: datetime | None
    queued_at: datetime | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None


class VideoRow(_Columns):
    """The columns of a video that its representation reads, by the names of the model."""

    @property
    def pk(self) -> UUID:
        return self.id

    @cached_property
    def address(self) -> str:
        return address_of(self.id)


def find(account_id: UUID, video_id: UUID, *, is_test: bool | None = None) -> VideoRow | None:
    """`is_test`: only a video of this mode; None: of either."""
    found = _BY_ID.rows(account_id=account_id, video_id=video_id)
    row = VideoRow._make(found[0]) if found else None
    return row if row is None or is_test in (None, row.is_test) else None


def of_queryset(queryset: QuerySet[Video], wanted: Slice) -> Iterable[VideoRow]:
    return map(VideoRow._make, rows_of(_columns_of(queryset), wanted))


def of_account(account_id: UUID, wanted: Slice, *, is_test: bool | None = None) -> Iterable[VideoRow]:
    """`is_test`: only videos of this mode; None: of both."""
    if wanted.offset:
        # Any number, among videos of the same moment: too many statements to prepare.
        return of_queryset(_of_mode(Video.objects.of_account(account_id), is_test), wanted)
    query = _page_query(wanted.limit, is_test, is_first=wanted.position is None, is_reversed=wanted.is_reversed)
    position = {} if wanted.position is None else {"position": wanted.position}
    return map(VideoRow._make, query.rows(account_id=account_id, **position))


def _of_mode(videos: QuerySet[Video], is_test: bool | None) -> QuerySet[Video]:
    return videos if is_test is None else videos.filter(is_test=is_test)


def _columns_of(queryset: QuerySet[Video]) -> QuerySet[Any, tuple[Any, ...]]:
    return queryset.values_list(*VideoRow._fields)


def _by_id(account_id: Any, video_id: Any) -> QuerySet[Any, tuple[Any, ...]]:
    return _columns_of(Video.objects.of_account(account_id).filter(pk=video_id).order_by())


_BY_ID = CompiledQuery(_by_id)


@cache
def _page_query(limit: int, is_test: bool | None, *, is_first: bool, is_reversed: bool) -> CompiledQuery:
    """The limit is a part of the statement: with an argument, PostgreSQL plans for a tenth of all rows."""

    def page(account_id: Any, position: Any) -> QuerySet[Any, tuple[Any, ...]]:
        wanted = Slice(position, 0, limit, is_reversed=is_reversed)
        return rows_of(_columns_of(_of_mode(Video.objects.of_account(account_id), is_test)), wanted)

    def first_page(account_id: Any) -> QuerySet[Any, tuple[Any, ...]]:
        return page(account_id, None)

    return CompiledQuery(first_page if is_first else page)
