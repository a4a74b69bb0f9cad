"""Batches: one script for many rows, accepted whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from accounts.caller import Caller
from billing import credits
from genvid import database_clock, request_context
from genvid.api.serializers import refuse_field
from genvid.errors import MAX_DETAILS, InvalidState, ValidationFailed
from genvid.jobs import enqueue, enqueue_on_commit
from videos import jobs, settlement, video_events, video_request
from videos.batches import batch_input, batch_subjects
from videos.batches.batch_input import Table
from videos.batches.batch_subjects import Casts
from videos.batches.columns import AmbiguousColumn, NoColumn, columns_for
from videos.enums import Status
from videos.kinds.casting import Cast
from videos.lifecycle import scripts, video_actions
from videos.models import Batch, Video, VideoEvent, seconds_from_now
from videos.queue import estimates, queue_positions, render_times
from videos.speech import markup
from videos.speech.warnings import Warned
from videos.video_request import NOTHING_SPEAKABLE, SCRIPT_LIMIT, TITLE_LIMIT, VideoRequest

logger = structlog.get_logger(__name__)
MAX_REPORTED = MAX_DETAILS - 1
CANCEL_BATCH_SIZE = 100


@dataclass(frozen=True)
class BatchQuote:
    credits: int
    videos: int
    estimated_seconds: int
    available_credits: int
    affordable: bool
    hold_factor: float
    encoding: str | None
    sample: list[batch_input.Row]
    warnings: list[Warned]
    """Of the file, and one of each kind of the videos, with the number of its rows."""


@dataclass(frozen=True)
class Draft:
    batch: Batch
    videos: list[Video]
    hold_factor: Decimal

    @property
    def credits(self) -> int:
        return sum(video.credits_held for video in self.videos)


def texts_of(request: VideoRequest, table: Table) -> dict[str, str]:
    """What the videos would say and be called, by `rows.N.script`; nothing where the rows do not fit the template."""
    try:
        used = _variables(request, table)
        filled = [batch_subjects.fill(request, _values_of(row, used)) for row in table.rows]
    except (ValidationFailed, batch_subjects.NoId):
        return {}
    rows = enumerate(map(video_request.texts_of, filled))
    return {f"rows.{index}.{name}": text for index, texts in rows for name, text in texts.items()}


def quote_batch(caller: Caller, request: VideoRequest, table: Table) -> BatchQuote:
    """Price a batch without making it. Raises ValidationFailed as `create_batch` would."""
    draft, available = _drafted(caller, request, table), credits.available(caller.account_id)
    seconds = sum(video.estimated_seconds for video in draft.videos)
    affordable = available >= draft.credits
    read = (table.encoding, table.sample, [*table.warnings, *_warnings(draft)])
    return BatchQuote(draft.credits, len(draft.videos), seconds, available, affordable, float(draft.hold_factor), *read)


def _warnings(draft: Draft) -> list[Warned]:
    found: dict[str, list[Warned]] = {}
    for warned in (warned for video in draft.videos for warned in video.warnings or []):
        found.setdefault(warned["code"], []).append(warned)
    rows_of = {
        code: f"In {len(each)} of {len(draft.videos)} rows: {each[0]['message']}" for code, each in found.items()
    }
    return [Warned(code=code, message=message, field=found[code][0]["field"]) for code, message in rows_of.items()]


@transaction.atomic
def create_batch(caller: Caller, request: VideoRequest, table: Table) -> Batch:
    """Queue a video for each row. Raises ValidationFailed, InsufficientCredits, KeyLimitReached: nothing was made."""
    _refuse_guess(table)
    draft = _drafted(caller, request, table)
    batch, videos = draft.batch, draft.videos
    batch.credits_quoted = draft.credits
    batch.save(force_insert=True)
    _set_queue_times(videos, _queue_positions(batch))
    Video.objects.bulk_create(videos, batch_size=500)
    VideoEvent.objects.bulk_create(
        (VideoEvent(video=video, to_status=Status.QUEUED, reason="batch") for video in videos), batch_size=1000
    )
    holds = {video.money_reference: video.credits_held for video in videos}
    credits.hold_many(caller.account_id, holds, key_id=caller.key_id)
    video_events.publish_queued_events(videos)
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("batch_accepted", batch_id=str(batch.pk), account_id=str(batch.account_id), videos=len(videos))
    return batch


def _refuse_guess(table: Table) -> None:
    """A wrongly guessed encoding would be spoken, and paid."""
    if table.guesses:
        message = f"The file does not say its encoding: give the right one of {table.guesses}. A quote shows the rows."
        raise refuse_field("encoding", message)


def _queue_positions(batch: Batch) -> list[int | None]:
    if batch.is_test:
        return [1] * batch.total
    positions = queue_positions.next_positions(batch.account_id, batch.total)
    return [None] * batch.total if positions is None else [each.position for each in positions.found]


def _set_queue_times(videos: list[Video], positions: list[int | None]) -> None:
    """Queue times a microsecond apart, so that the videos keep the order of their rows."""
    now, deadline = database_clock.now(), seconds_from_now(settings.VIDEO_QUEUE_DEADLINE)
    for number, (video, position) in enumerate(zip(videos, positions, strict=True)):
        video.created_at = video.queued_at = video.moved_at = now + timedelta(microseconds=number)
        if position is not None:
            wait = estimates.queue_seconds(position, video.expected_render_seconds)
            video.promised_at = now + timedelta(seconds=wait)
        video.deadline_at = deadline
        video.request_id = request_context.current().request_id


def cancel_batch(batch: Batch) -> Batch:
    """Cancel what still waits; a worker does the rest of a long batch. Raises InvalidState once all have ended."""
    asked_at = Coalesce("canceled_at", database_clock.now())
    if Batch.objects.filter(pk=batch.pk, open__gt=0).update(canceled_at=asked_at) != 1:
        raise InvalidState("All videos of this batch have ended.")
    if _cancel_chunk(batch.pk) == CANCEL_BATCH_SIZE:
        enqueue(jobs.CANCEL_BATCH, str(batch.pk))
    batch.refresh_from_db()
    return batch


def cancel_remaining(batch_id: str) -> None:
    """Each chunk commits by itself, so that no lock is held for long; the sweep continues after a crash."""
    batch = Batch.objects.filter(pk=batch_id, canceled_at__isnull=False).first()
    while batch is not None and _cancel_chunk(batch.pk):
        continue


@transaction.atomic
def _cancel_chunk(batch_id: UUID) -> int:
    # Lock order: videos before wallets. A video that is being claimed is skipped and goes on.
    waiting = Video.objects.queued().filter(batch=batch_id).select_for_update(skip_locked=True, of=("self",))
    return settlement.cancel_waiting(list(waiting.order_by("batch_row")[:CANCEL_BATCH_SIZE]), reason="batch_canceled")


def _drafted(caller: Caller, request: VideoRequest, table: Table) -> Draft:
    used = _variables(request, table)
    casts = Casts(request, video_actions.orderer_of(caller))
    _require_known_tags(request.script or "")
    requests = _requests(request, casts, table, used)
    batch = Batch(
        **video_actions.owned_by(caller),
        title=request.title,
        script=request.script or "",
        template=casts.named(request).batch_template(),
        columns=table.columns,
        total=len(table.rows),
        open=len(table.rows),
    )
    draft = Draft(batch, [], credits.overrun_factor(caller.account_id))
    pricer, render_seconds = cache(credits.pricer), cache(render_times.render_seconds)
    for number, (each, row) in enumerate(zip(requests, table.rows, strict=True), start=1):
        fields = video_actions.owned_by(caller) | video_actions.fields_of(each, casts.of(each), render_seconds)
        video = Video(**fields, batch=batch, batch_row=number, variables=row, status=Status.QUEUED)
        video.api_key_id = caller.key_id
        video.credits_held = video_actions.hold_amount(video, draft.hold_factor, pricer)
        draft.videos.append(video)
    return draft


def _variables(request: VideoRequest, table: Table) -> dict[str, str]:
    used: dict[str, str] = {}
    for name, template in batch_subjects.templates_of(request).items():
        try:
            used |= columns_for(batch_input.variables_of(template), table.columns, table.repeated)
        except batch_input.BadTemplate as error:
            raise refuse_field(name, str(error)) from error
        except AmbiguousColumn as error:
            raise refuse_field(table.source, str(error)) from error
        except NoColumn as error:
            if not table.is_unreadable:
                raise refuse_field(name, str(error)) from error
    return used


def _require_known_tags(template: str) -> None:
    for tag in markup.tags_of(template):
        if not batch_input.VARIABLE.search(tag):
            raise refuse_field("script", markup.reason_against(tag))


def _requests(request: VideoRequest, casts: Casts, table: Table, used: dict[str, str]) -> list[VideoRequest]:
    """One for each row. Raises one ValidationFailed that names every row and column that is wrong."""
    filled: dict[int, VideoRequest] = {}
    problems = Problems(table)
    wrong = {index: dict(table.wrong.get(index, {})) for index in range(len(table.rows))}
    for index, row in enumerate(table.rows):
        if table.is_unreadable or batch_input.WHOLE_ROW in wrong[index]:
            continue
        try:
            filled[index] = batch_subjects.fill(request, _values_of(row, used))
        except batch_subjects.NoId as error:
            wrong[index] = dict.fromkeys((used[name] for name in error.variables), str(error)) | wrong[index]
    casts.prepare(filled.values())
    for index, each in filled.items():
        wrong[index] = _row_problems(table.rows[index], used, each, casts) | wrong[index]
    for index, found in wrong.items():
        problems.add(index, found)
    problems.raise_any()
    return list(filled.values())


def _values_of(row: batch_input.Row, used: Mapping[str, str]) -> dict[str, str]:
    return {variable: row.get(column, "") for variable, column in used.items()}


def _row_problems(row: batch_input.Row, used: dict[str, str], request: VideoRequest, casts: Casts) -> dict[str, str]:
    empty = [column for column in used.values() if not row.get(column, "").strip()]
    if empty:
        return dict.fromkeys(empty, "Is empty; the script uses it.")
    cast = casts.found(request)
    if isinstance(cast, ValidationFailed):
        return dict(cast.details or {})
    long_title = f"Is longer than {TITLE_LIMIT} characters with this row's values."
    wrong = {"script": _script_problem(request, cast), "title": long_title if len(request.title) > TITLE_LIMIT else ""}
    return {name: problem for name, problem in wrong.items() if problem}


def _script_problem(request: VideoRequest, cast: Cast) -> str:
    script = request.script or ""
    if len(script) > SCRIPT_LIMIT:
        return f"Is {len(script)} characters long with this row's values; at most {SCRIPT_LIMIT}."
    if not estimates.is_speakable(script):
        return NOTHING_SPEAKABLE
    return scripts.script_problem(script, cast.voice, speed=request.speed) if cast.voice else ""


class Problems:
    def __init__(self, table: Table) -> None:
        self.table, self.details, self.more = table, dict[str, str](), 0

    def add(self, index: int, wrong: dict[str, str]) -> None:
        where = f"Line {self.table.lines[index]}: " if self.table.lines and wrong else ""
        for column, message in wrong.items():
            if len(self.details) < MAX_REPORTED:
                self.details[f"rows.{index}.{column}".rstrip(".")] = where + message
            else:
                self.more += 1

    def raise_any(self) -> None:
        if self.more:
            self.details["rows"] = f"There are {self.more} more errors."
        if self.details:
            raise ValidationFailed("Some rows are not valid; none was accepted.", details=self.details)
