"""Completes a video with a file that staff upload."""

from functools import partial
from typing import Any, BinaryIO, cast

import structlog
from django.conf import settings
from django.core.files import File

from genvid.errors import InvalidState, Overloaded, ValidationFailed
from genvid.heygen.heygen_errors import Unknown
from genvid.http import Head
from genvid.leasing import from_now
from videos import settlement
from videos.enums import Status
from videos.media import mp4, resumable_downloads
from videos.media.resumable_downloads import DiskFull, FolderInUse, VideoEnded
from videos.models import Video
from videos.pipeline.storage import Links, store
from videos.staff.staff_actions import lease, moved_meanwhile, require_current

logger = structlog.get_logger(__name__)


def settle_completed(video: Video, *, by: str, file: "File[bytes]") -> Video:
    """Complete a video with staff's MP4, charged by its length. Raises ValidationFailed, InvalidState, Overloaded."""
    video = require_current(video)
    if video.status not in (Status.RENDERING, Status.STORING):
        raise InvalidState(f"Only a video that HeyGen has can be completed by hand; this one is {video.status}.")
    try:
        _check(file)
        _take_from_workers(video, by)
        stored = store(video, partial(_copy, file), Links("upload"), settle=settlement.complete_video)
    except mp4.BrokenFile as error:
        raise ValidationFailed(details={"file": f"Is not a whole MP4: {error}."}) from error
    except (DiskFull, FolderInUse) as error:
        raise Overloaded(f"The file cannot be stored now: {error}.") from error
    except VideoEnded:
        stored = False
    if not stored:
        raise moved_meanwhile()
    seconds, digest = str(video.duration_seconds), video.file_sha256
    logger.info("completed_by_staff", video_id=str(video.pk), by=by, seconds=seconds, sha256=digest)
    return video


def _copy(file: "File[bytes]", url: str, sink: BinaryIO, *, start: int, begin: Any, **_: Any) -> None:
    """Replaces `HeyGenClient.download_media`."""
    if start:
        # The part in the work folder belongs to HeyGen's file.
        raise Unknown("rangerefused")
    begin(Head(file.size, None))
    for chunk in file.chunks():
        sink.write(chunk)


def _check(file: "File[bytes]") -> None:
    """Checked before the video is taken from its workers, so that a refusal changes nothing."""
    if file.size > settings.VIDEO_MAX_BYTES:
        raise ValidationFailed(details={"file": f"Is larger than {settings.VIDEO_MAX_BYTES} bytes."})
    mp4.inspect(cast(BinaryIO, file), file.size)
    resumable_downloads.require_disk_space(file.size)


def _take_from_workers(video: Video, by: str) -> None:
    """A worker that stored HeyGen's file at the same time would write under the same name."""
    if video.status == Status.STORING:
        lease(video)
        return
    # Without `rendered_at`, so that it does not count as a render time of HeyGen.
    taken = video.move(
        Status.STORING,
        reason="completed_by_staff",
        detail=f"by {by}",
        due_at=from_now(settings.VIDEO_STORE_LEASE),
        deadline_at=from_now(settings.VIDEO_STORE_DEADLINE),
    )
    if not taken:
        raise moved_meanwhile()
