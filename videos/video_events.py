"""Telling our clients' own programs: each event is written in the transaction of the change that it tells of."""

from collections.abc import Iterator, Sequence
from typing import Any

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from videos.models import Batch, Video
from videos.queue import waiting_reasons
from videos.queue.waiting_reasons import WaitingState
from videos.representations import VideoOutput, represent_batches, represent_videos


def publish_video_event(video: Video, event: EventType, state: WaitingState | None = None) -> None:
    """Tell whoever listens how the video stands now; in the queue as `state` says, where that is known."""
    if state is None:
        publish_video_events([video], event)
    else:
        outgoing_events.publish_many(video.account_id, event, _told(video, state))


def publish_video_events(videos: Sequence[Video], event: EventType) -> None:
    """The same for videos of one account. Nothing is shaped when nobody listens."""
    outgoing_events.publish_many(videos[0].account_id, event, _shaped(videos))


def publish_queued_events(videos: Sequence[Video]) -> None:
    """The same for videos that have just been queued together, the last of their account."""
    outgoing_events.publish_many(videos[0].account_id, EventType.VIDEO_QUEUED, _in_line(videos))


def _told(video: Video, state: WaitingState) -> Iterator[tuple[str, dict[str, Any]]]:
    yield str(video.pk), VideoOutput.of(video, state)


def _in_line(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    # To count for each of a thousand how many wait before it would take seconds.
    found = waiting_reasons.waiting_state_of_last(videos[0].account_id, len(videos))
    for video, state in zip(videos, found, strict=True):
        yield from _told(video, state)


def _shaped(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    for pk, data in represent_videos(videos).items():
        yield str(pk), data


def publish_batch_event(batch: Batch) -> None:
    """Tell that the last of its videos has ended."""
    told = ((str(batch.pk), data) for data in represent_batches([batch]))
    outgoing_events.publish_many(batch.account_id, EventType.BATCH_COMPLETED, told)
