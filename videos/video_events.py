"""Outgoing events of videos and batches, written in the transaction of the change."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from accounts.enums import EventType
from accounts.webhooks import outgoing_events
from videos.models import Batch, Video
from videos.queue import waiting_reasons
from videos.queue.waiting_reasons import WaitingState
from videos.representations import VideoOutput, represent_batches, represent_videos


def publish_video_event(video: Video, event: EventType, state: WaitingState | None = None) -> None:
    """`state`: the waiting state, where it is known already."""
    if state is None:
        publish_video_events([video], event)
    else:
        outgoing_events.publish_many(video.account_id, event, _with_state(video, state))


def first_event(video: Video, event: EventType, state: WaitingState, endpoints: Sequence[UUID]) -> list[Any]:
    """The rows of the event of a new video, for the caller to insert together with it."""
    return outgoing_events.first_event(video.account_id, event, _with_state(video, state), endpoints)


def publish_video_events(videos: Sequence[Video], event: EventType) -> None:
    """Of one account. Nothing is represented without a receiver."""
    outgoing_events.publish_many(videos[0].account_id, event, _represented(videos))


def publish_queued_events(videos: Sequence[Video]) -> None:
    outgoing_events.publish_many(videos[0].account_id, EventType.VIDEO_QUEUED, _with_queue_states(videos))


def _with_state(video: Video, state: WaitingState) -> Iterator[tuple[str, dict[str, Any]]]:
    yield str(video.pk), VideoOutput.of(video, state)


def _with_queue_states(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    # Counting the videos before each of a thousand would take seconds.
    found = waiting_reasons.waiting_states_of_last(videos[0].account_id, len(videos))
    for video, state in zip(videos, found, strict=True):
        yield from _with_state(video, state)


def forget_counters(videos: Sequence[Video]) -> None:
    """Of videos that are gone: there is nothing more to tell."""
    outgoing_events.forget_counters((video.account_id for video in videos), (str(video.pk) for video in videos))


def _represented(videos: Sequence[Video]) -> Iterator[tuple[str, dict[str, Any]]]:
    for video in videos:
        # A worker reads few columns, and moments that the database computed are not shown.
        if missing := video.get_deferred_fields() - {"due_at", "deadline_at"}:
            video.refresh_from_db(fields=missing)
    for pk, data in represent_videos(videos).items():
        yield str(pk), data


def publish_batch_event(batch: Batch) -> None:
    events = ((str(batch.pk), data) for data in represent_batches([batch]))
    outgoing_events.publish_many(batch.account_id, EventType.BATCH_COMPLETED, events)
