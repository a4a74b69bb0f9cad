"""Deletes videos: hidden from the client at once, files here and at HeyGen removed soon after."""

import structlog
from django.db import transaction

from genvid import database_clock, request_context
from genvid.errors import InvalidState
from genvid.jobs import enqueue_on_commit
from videos import jobs, video_events
from videos.enums import TERMINAL, Status
from videos.models import Video
from videos.pipeline.storage import delete_files
from videos.provider.heygen_clients import delete_lost_renders, delete_render

logger = structlog.get_logger(__name__)


@transaction.atomic
def delete_video(video: Video) -> None:
    """Raises InvalidState while the video is being made."""
    now = database_clock.now()
    gone = Video.objects.filter(pk=video.pk, deleted_at=None, status__in=TERMINAL | {Status.DRAFT})
    if gone.update(deleted_at=now, updated_at=now) != 1:
        raise InvalidState("A video can be deleted once it has ended, or while it is a draft.")
    enqueue_on_commit(jobs.PURGE, str(video.pk), context=video.request_context)


def purge_video(video_id: str) -> None:
    video = Video.objects.unpurged().filter(pk=video_id, deleted_at__isnull=False).first()
    if video is not None:
        _purge(video)


@request_context.under_request_of_row
def _purge(video: Video) -> None:
    try:
        delete_files(video)
        if video.provider_deleted_at is None:
            delete_render(video)
        delete_lost_renders(video)
    except Exception as error:  # noqa: BLE001 - HeyGen, a disk, a bucket's own error: the sweep tries again
        logger.warning("purge_retried_later", video_id=str(video.pk), error=repr(error))
        return
    now = database_clock.now()
    gone_at_heygen = video.provider_deleted_at or (now if video.provider_video_id else None)
    Video.objects.filter(pk=video.pk).update(
        purged_at=now,
        # A video of a recording has none, and the database keeps it so.
        script=None if video.script is None else "",
        title="",
        metadata={},
        warnings=None,
        variables={},
        background=None,
        file="",
        thumbnail="",
        subtitles="",
        subtitles_vtt="",
        render_links=None,
        provider_deleted_at=gone_at_heygen,
    )
    video_events.forget_counters([video])
