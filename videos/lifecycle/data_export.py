"""The videos' part of a data export."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.privacy.data_export import BATCH_SIZE, plain_rows
from genvid.media_links import lasting_link
from videos.models import Batch, Speech, Video, VideoEvent
from videos.queue.waiting_reasons import NOT_WAITING
from videos.representations import VideoOutput

EXPORTED_OF_SPEECH = (
    *(
        "id",
        "account_id",
        "created_by_id",
        "api_key_id",
        "is_test",
        "status",
        "script",
        "voice_id",
        "language",
        "speed",
    ),
    *("words", "credits_held", "credits_charged", "error_code", "error_message"),
    *("created_at", "ready_at", "expires_at"),
)
FILES = ("file", "thumbnail", "subtitles", "subtitles_vtt")


def parts_of(account_ids: list[UUID]) -> dict[str, Iterator[dict[str, Any]]]:
    events = VideoEvent.objects.filter(video__account__in=account_ids).order_by("id")
    return {
        "videos": _videos(account_ids),
        "speeches": _speeches(account_ids),
        "video_events": plain_rows(events, without=("detail",)),
        "batches": plain_rows(Batch.objects.filter(account__in=account_ids)),
    }


def _videos(account_ids: list[UUID]) -> Iterator[dict[str, Any]]:
    for video in Video.objects.filter(account__in=account_ids).iterator(chunk_size=BATCH_SIZE):
        stored = {name: getattr(video, name).name for name in FILES}
        yield VideoOutput.of(video, NOT_WAITING) | {
            "account_id": video.account_id,
            "created_by_id": video.created_by_id,
            "api_key_id": video.api_key_id,
            "variables": video.variables,
            "deleted_at": video.deleted_at,
            "files": {name: lasting_link(path) for name, path in stored.items() if path},
        }


def _speeches(account_ids: list[UUID]) -> Iterator[dict[str, Any]]:
    """Those of the last day, those that videos are rendered with, and what HeyGen refused to speak in 90 days."""
    mine = Speech.objects.filter(account__in=account_ids).select_related("audio")
    for speech in mine.iterator(chunk_size=BATCH_SIZE):
        stored = speech.audio.file.name if speech.audio else ""
        yield {
            **{name: getattr(speech, name) for name in EXPORTED_OF_SPEECH},
            "duration_seconds": None if speech.duration_seconds is None else float(speech.duration_seconds),
            "audio": lasting_link(stored) if stored else None,
        }
