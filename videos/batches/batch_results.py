"""A batch's results as CSV rows, safe to open in a spreadsheet."""

from collections.abc import Iterator
from typing import Any

from genvid.spreadsheets import escape_formula
from videos.models import Batch, Video
from videos.queue.waiting_reasons import NOT_WAITING
from videos.representations import VideoOutput

BATCH_SIZE = 200
FACTS = ("status", "duration_seconds", "credits_charged", "file_url", "captions_url", "error_code", "error_message")


def pages_of(batch: Batch) -> Iterator[list[list[str]]]:
    yield [["row", *map(_cell, batch.columns), "video_id", *FACTS]]
    after_row = 0
    while videos := list(Video.objects.filter(batch=batch, batch_row__gt=after_row).order_by("batch_row")[:BATCH_SIZE]):
        yield [[_cell(value) for value in _record(batch, video)] for video in videos]
        after_row = videos[-1].batch_row or 0


def _record(batch: Batch, video: Video) -> list[Any]:
    shown = VideoOutput.of(video, NOT_WAITING)
    facts = shown | {
        "credits_charged": video.credits_charged,
        "error_code": video.error_code,
        "error_message": video.error_message,
    }
    if video.deleted_at:
        # Its links no longer work.
        facts |= {"file_url": None, "captions_url": None}
    variables = [video.variables.get(column, "") for column in batch.columns]
    return [video.batch_row, *variables, video.pk, *(facts[name] for name in FACTS)]


def _cell(value: Any) -> str:
    return escape_formula("" if value is None else str(value))
