"""Batches: one script for many rows, checked whole, held whole, accepted whole or not at all."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.caller import Caller
from billing import credits
from genvid.api.serializers import refuse_field
from genvid.errors import MOST_DETAILS, InvalidState, ValidationFailed
from genvid.jobs import enqueue, enqueue_on_commit
from videos import estimates, jobs, paces, places, rows
from videos.columns import AmbiguousColumn, NoColumn, columns_for
from videos.enums import Status
from videos.models import Batch, Video, VideoEvent, after
from videos.rows import Table
from videos.services import announcing, creating, scripts, settling
from videos.speech import markup
from videos.speech.warnings import Warned

logger = structlog.get_logger(__name__)
SCRIPT_LIMIT = 5000
TITLE_LIMIT = 200
REPORTED = MOST_DETAILS - 1
"""Errors of one report; beyond them it says how many more there are."""
SHARED = ("format", "resolution", "language", "captions", "background", "speed", "metadata")
CANCEL_CHUNK = 100


@dataclass(frozen=True)
class Quote:
    credits: int
    """What would be held for all of it: the most that it can cost."""
    videos: int
    estimated_seconds: int
    available_credits: int
    affordable: bool
    hold_factor: float
    """What the account's holds are multiplied by, as in the quote of a video."""
    encoding: str | None
    """That the file was read in; None where the rows came as JSON."""
    sample: list[rows.Row]
    warnings: list[Warned]
    """Of the file, and one of each kind of the videos, with the number of rows that it concerns."""


@dataclass(frozen=True)
class Draft:
    """A batch that has been checked and priced, none of it saved."""

    batch: Batch
    videos: list[Video]
    hold_factor: Decimal

    @property
    def credits(self) -> int:
        return sum(video.credits_held for video in self.videos)


def quote(caller: Caller, table: Table, wish: dict[str, Any]) -> Quote:
    """Price a batch without making it. Raises ValidationFailed as `create` would."""
    draft, available = _drafted(caller, table, wish), credits.available(caller.account_id)
    seconds = sum(video.estimated_seconds for video in draft.videos)
    affordable = available >= draft.credits
    read = (table.encoding, table.sample, [*(each.as_dict() for each in table.warnings), *_warnings(draft)])
    return Quote(draft.credits, len(draft.videos), seconds, available, affordable, float(draft.hold_factor), *read)


def _warnings(draft: Draft) -> list[Warned]:
    found: dict[str, list[Warned]] = {}
    for warned in (warned for video in draft.videos for warned in video.warnings or []):
        found.setdefault(warned["code"], []).append(warned)
    rows_of = {
        code: f"In {len(each)} of {len(draft.videos)} rows: {each[0]['message']}" for code, each in found.items()
    }
    return [Warned(code=code, message=message, field=found[code][0]["field"]) for code, message in rows_of.items()]


@transaction.atomic
def create(caller: Caller, table: Table, wish: dict[str, Any]) -> Batch:
    """Queue a video for each row. Raises ValidationFailed, InsufficientCredits, KeyLimitReached: nothing was made."""
    _refuse_guess(table)
    draft = _drafted(caller, table, wish)
    batch, videos = draft.batch, draft.videos
    batch.credits_quoted = draft.credits
    batch.save(force_insert=True)
    _line_up(videos, _places(batch))
    Video.objects.bulk_create(videos, batch_size=500)
    VideoEvent.objects.bulk_create(
        (VideoEvent(video=video, to_status=Status.QUEUED, reason="batch") for video in videos), batch_size=1000
    )
    holds = {video.money_reference: video.credits_held for video in videos}
    credits.hold_many(caller.account_id, holds, key_id=caller.key_id)
    announcing.announce_line(videos)
    enqueue_on_commit(jobs.DISPATCH)
    logger.info("batch_accepted", batch_id=str(batch.pk), account_id=str(batch.account_id), videos=len(videos))
    return batch


def _refuse_guess(table: Table) -> None:
    """A wrong guess would be spoken, and paid."""
    if table.guesses:
        message = f"The file does not say its encoding: give the right one of {table.guesses}. A quote shows the rows."
        raise refuse_field("encoding", message)


def _places(batch: Batch) -> list[int]:
    return [1] * batch.total if batch.is_test else places.of_next_many(batch.account_id, batch.total)


def _line_up(videos: list[Video], line: list[int]) -> None:
    """Give each its moment in the queue, a microsecond apart, so that they go in the order of their rows."""
    now, deadline = timezone.now(), after(settings.VIDEO_QUEUE_DEADLINE)
    for number, (video, place) in enumerate(zip(videos, line, strict=True)):
        wait = estimates.queue_seconds(place, video.expected_render_seconds)
        video.created_at = video.queued_at = video.moved_at = now + timedelta(microseconds=number)
        video.promised_at = now + timedelta(seconds=wait)
        video.deadline_at = deadline


def cancel(batch: Batch) -> Batch:
    """Take back what still waits; what HeyGen has goes on. Raises InvalidState once all have ended.

    The first videos are canceled at once, the rest of a long batch by a worker.
    """
    asked_at = Coalesce("canceled_at", timezone.now())
    if Batch.objects.filter(pk=batch.pk, open__gt=0).update(canceled_at=asked_at) != 1:
        raise InvalidState("All videos of this batch have ended.")
    if _cancel_chunk(batch.pk) == CANCEL_CHUNK:
        enqueue(jobs.CANCEL_BATCH, str(batch.pk))
    batch.refresh_from_db()
    return batch


def cancel_rest(batch_id: str) -> None:
    """Each chunk commits by itself: dying half-way leaves the rest to the sweep, and no lock is held for long."""
    batch = Batch.objects.filter(pk=batch_id, canceled_at__isnull=False).first()
    while batch is not None and _cancel_chunk(batch.pk):
        continue


@transaction.atomic
def _cancel_chunk(batch_id: UUID) -> int:
    # All videos are locked before any money moves, as everywhere; one that is being claimed just now goes on.
    waiting = Video.objects.queued().filter(batch=batch_id).select_for_update(skip_locked=True, of=("self",))
    return settling.cancel_waiting(list(waiting.order_by("batch_row")[:CANCEL_CHUNK]), reason="batch_canceled")


def _drafted(caller: Caller, table: Table, wish: dict[str, Any]) -> Draft:
    used = _variables(wish, table)
    cast = creating.cast_for(wish, caller.account_id)
    _require_known_tags(wish["script"])
    shared = {name: wish[name] for name in SHARED if wish.get(name) is not None}
    batch = Batch(
        account_id=caller.account_id,
        created_by_id=caller.user_id,
        is_test=caller.is_test,
        title=wish.get("title") or "",
        script=wish["script"],
        template={"avatar_id": str(cast.avatar.pk), "voice_id": str(cast.voice.pk), **shared},
        columns=table.columns,
        total=len(table.rows),
        open=len(table.rows),
    )
    common = {**shared, "avatar": cast.avatar, "voice": cast.voice, "engine": cast.engine}
    common |= {"account_id": caller.account_id, "created_by_id": caller.user_id, "api_key_id": caller.key_id}
    common |= {"is_test": caller.is_test}
    factor = credits.overrun_factor(caller.account_id)
    return Draft(batch, _filled(batch, table, used, common, factor), factor)


def _variables(wish: dict[str, Any], table: Table) -> dict[str, str]:
    """The column for each variable of script and title. Raises ValidationFailed for one that no column fills."""
    used: dict[str, str] = {}
    for name in ("script", "title"):
        try:
            used |= columns_for(rows.variables_of(wish.get(name) or ""), table.columns, table.repeated)
        except rows.BadTemplate as error:
            raise refuse_field(name, str(error)) from error
        except AmbiguousColumn as error:
            raise refuse_field(table.source, str(error)) from error
        except NoColumn as error:
            if not table.is_unreadable:
                raise refuse_field(name, str(error)) from error
    return used


def _require_known_tags(template: str) -> None:
    """Raises ValidationFailed on `script` for a tag that is wrong in every row: none of its text comes from one."""
    for tag in markup.tags_of(template):
        if not rows.VARIABLE.search(tag):
            raise refuse_field("script", markup.reason_against(tag))


def _filled(batch: Batch, table: Table, used: dict[str, str], common: dict[str, Any], factor: Decimal) -> list[Video]:
    """A video for each row. Raises one ValidationFailed that names every row and column that is wrong."""
    price = credits.pricer(
        engine=common["engine"],
        avatar_kind=common["avatar"].kind,
        resolution=common.get("resolution", Video._meta.get_field("resolution").default),
    )
    expected = cache(lambda seconds: math.ceil(paces.pace_for(common["engine"], seconds).p50))
    spoken = _spoken(common)
    videos, problems = [], Problems(table)
    for index, row in enumerate(table.rows):
        wrong = table.wrong.get(index, {})
        if rows.WHOLE_ROW not in wrong:
            wrong = dict(_row_problems(row, used, batch, common)) | wrong
        problems.add(index, wrong)
        if problems.details:
            continue
        video = Video(batch=batch, batch_row=index + 1, variables=row, status=Status.QUEUED, **common)
        values = {variable: row[column] for variable, column in used.items()}
        video.title, video.script = rows.fill(batch.title, values), rows.fill(batch.script, values)
        video.warnings = scripts.warnings_of(video.script, video.voice, speed=video.speed)
        video.estimated_seconds = estimates.spoken_seconds(video.script, **spoken)
        video.expected_render_seconds = expected(video.estimated_seconds)
        seconds = estimates.seconds_to_hold(video.script, **spoken, factor=factor)
        video.credits_held = 0 if batch.is_test else price(seconds)
        videos.append(video)
    problems.raise_any()
    return videos


def _row_problems(
    row: rows.Row, used: dict[str, str], batch: Batch, common: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Column and message of everything that is wrong with one row. `common`: what the batch's videos share."""
    empty = [column for column in dict.fromkeys(used.values()) if not row.get(column, "").strip()]
    if empty:
        yield from ((name, "Is empty; the script uses it.") for name in empty)
        return
    values = {variable: row[column] for variable, column in used.items()}
    script = rows.fill(batch.script, values)
    if len(script) > SCRIPT_LIMIT:
        yield "script", f"Is {len(script)} characters long with this row's values; at most {SCRIPT_LIMIT}."
    elif not estimates.is_speakable(script):
        yield "script", "Has nothing in it that can be spoken."
    elif problem := scripts.problem_of(script, common["voice"]):
        yield "script", problem
    elif estimates.spoken_seconds(script, **_spoken(common)) > estimates.MAX_SECONDS:
        yield "script", creating.TOO_LONG
    if len(rows.fill(batch.title, values)) > TITLE_LIMIT:
        yield "title", f"Is longer than {TITLE_LIMIT} characters with this row's values."


def _spoken(common: dict[str, Any]) -> dict[str, Any]:
    """Speed, and language of the voice: what the length of a row's script depends on."""
    return {"speed": common.get("speed", 1.0), "language": common["voice"].language}


class Problems:
    """One report on all rows, of bounded size."""

    def __init__(self, table: Table) -> None:
        self.table, self.details, self.more = table, dict[str, str](), 0

    def add(self, index: int, wrong: dict[str, str]) -> None:
        where = f"Line {self.table.lines[index]}: " if self.table.lines and wrong else ""
        for column, message in wrong.items():
            if len(self.details) < REPORTED:
                self.details[f"rows.{index}.{column}".rstrip(".")] = where + message
            else:
                self.more += 1

    def raise_any(self) -> None:
        if self.more:
            self.details["rows"] = f"There are {self.more} more errors."
        if self.details:
            raise ValidationFailed("Some rows are not valid; none was accepted.", details=self.details)
