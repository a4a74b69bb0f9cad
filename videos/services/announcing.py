"""Telling our clients' own programs: each event is written in the transaction of the change that it tells of."""

from collections.abc import Iterator, Sequence
from typing import Any

from accounts import outbox
from accounts.enums import EventType
from videos import waiting
from videos.models import Batch, Video
from videos.shapes import VideoOutput, represent_batches, represent_videos
from videos.waiting import Standing


def announce(video: Video, event: EventType, standing: Standing | None = None) -> None:
    """Tell whoever listens how the video stands now; in the queue as `standing` says, where that is known."""
    if standing is None:
        announce_many([video], event)
    else:
        outbox.publish_many(video.account_id, event, _told(video, standing))


def announce_many(videos: Sequence[Video], event: EventType) -> None:
    """The same for videos of one account. Nothing is shaped when nobody listens."""
    outbox.publish_many(videos[0].account_id, event, _shaped(videos))


def announce_line(videos: Sequence[Video]) -> None:
    """The same for videos that have just been queued together, the last of their account."""
    outbox.publish_many(videos[0].account_id, EventType.VIDEO_QUEUED, _in_line(videos))


def _told(video: Video, standing: Standing) -> Iterator[tuple[str, dict[str, Any]]]:
    yield str(video.pk), VideoOutput.of(video, standing)


def _in_line(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    # To count for each of a thousand how many wait before it would take seconds.
    found = waiting.of_last(videos[0].account_id, len(videos))
    for video, standing in zip(videos, found, strict=True):
        yield from _told(video, standing)


def _shaped(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    for pk, data in represent_videos(videos).items():
        yield str(pk), data


def announce_batch(batch: Batch) -> None:
    """Tell that the last of its videos has ended."""
    told = ((str(batch.pk), data) for data in represent_batches([batch]))
    outbox.publish_many(batch.account_id, EventType.BATCH_COMPLETED, told)
