"""Reads the changes of all watched videos at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from genvid.api.renderers import dump
from videos.enums import TERMINAL, SpeechStatus
from videos.models import Speech, Video, VideoEvent
from videos.representations import EventOutput, ProgressOutput, represent_videos

LONG_FIELDS = ("script", "metadata", "background", "variables", "render_links")

Progress = dict[str, Any]
PROGRESS_FIELDS = tuple(ProgressOutput().fields)


@dataclass(frozen=True)
class Frame:
    event_id: int
    text: bytes
    last: bool


@dataclass
class Changes:
    moved_at: dict[UUID, datetime]
    """When each video last moved; deleted ones are missing."""
    frames: dict[UUID, list[Frame]] = field(default_factory=dict)
    progress: dict[UUID, Progress] = field(default_factory=dict)
    ended: set[UUID] = field(default_factory=set)


def read_changes(
    known: Mapping[UUID, datetime | None], seen: Mapping[UUID, int], moving: Iterable[UUID] = ()
) -> Changes:
    """`known`: when each last moved. `seen`: the last event of its watchers. `moving`: whose progress is wanted."""
    alive = Video.objects.filter(pk__in=known, deleted_at=None)
    changes = Changes(dict(alive.values_list("pk", "moved_at")))
    moved = [pk for pk, moment in changes.moved_at.items() if known[pk] != moment]
    if moved:
        _add_moves(changes, moved, {pk: seen[pk] for pk in moved if pk in seen})
    slow = alive.filter(pk__in=set(moving) - set(moved)).defer(*LONG_FIELDS)
    changes.progress |= represent_videos(list(slow), ProgressOutput)
    return changes


def read_ended_speeches(speech_ids: list[UUID]) -> set[UUID]:
    """Those that are not being made any more. One query."""
    being_made = Speech.objects.filter(pk__in=speech_ids, status=SpeechStatus.CREATING)
    return set(speech_ids) - set(being_made.order_by().values_list("pk", flat=True))


def _add_moves(changes: Changes, moved: list[UUID], seen: dict[UUID, int]) -> None:
    # Events before videos: a video read first could be older than its last event.
    events = _events_after(seen) if seen else []
    videos = {video.pk: video for video in Video.objects.filter(pk__in=moved)}
    changes.ended = {pk for pk, video in videos.items() if video.status in TERMINAL}
    shown = represent_videos([videos[pk] for pk in seen if pk in videos])
    changes.progress = {pk: {name: data[name] for name in PROGRESS_FIELDS} for pk, data in shown.items()}
    for event in events:
        if event.video_id in shown:
            frames = changes.frames.setdefault(event.video_id, [])
            frames.append(_frame(event, shown[event.video_id]))


def _events_after(seen: dict[UUID, int]) -> list[VideoEvent]:
    later = VideoEvent.objects.filter(video__in=seen, pk__gt=min(seen.values())).order_by("pk")
    return [event for event in later if event.pk > seen[event.video_id]]


def _frame(event: VideoEvent, video: dict[str, Any]) -> Frame:
    data = dump({**EventOutput.of(event), "video": video})
    text = b"id: %d\nevent: status\ndata: %b\n\n" % (event.pk, data)
    return Frame(event.pk, text, last=event.to_status in TERMINAL)


def progress_text(progress: Progress) -> bytes:
    """The progress event, without an id: a client that resumes needs no past ones."""
    return b"event: progress\ndata: %b\n\n" % dump(progress)
