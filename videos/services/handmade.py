"""Files by staff's hand: a video's file uploaded, or a lost one fetched anew."""

import hashlib
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from genvid.errors import InvalidState, ValidationFailed
from genvid.heygen.client import HeyGenClient
from genvid.heygen.errors import HeyGenError
from genvid.http import HttpError
from genvid.leasing import from_now
from videos import mp4
from videos.enums import Status
from videos.models import Video
from videos.renderers import client_of
from videos.services import settling
from videos.services.levers import current, lease, moved_meanwhile
from videos.services.storing import SIDE_FILE_LIMIT, forget_files
from videos.subtitles import vtt_of

logger = structlog.get_logger(__name__)
UPLOAD_LEASE = 900.0
"""Seconds that no worker touches the video while the upload goes into the storage."""
NAMES = {
    "file": "video.mp4",
    "thumbnail": "thumbnail.jpg",
    "subtitles": "captions.srt",
    "subtitles_vtt": "captions.vtt",
}


def settle_completed(video: Video, *, by: str, file: "File[bytes]") -> Video:
    """Complete a video with staff's own MP4, charged by its length like any other.

    Raises ValidationFailed for what is no whole MP4, InvalidState for a video that HeyGen has no order of.
    """
    video = current(video)
    if video.status not in (Status.RENDERING, Status.STORING):
        raise InvalidState(f"Only a video that HeyGen has can be completed by hand; this one is {video.status}.")
    duration, digest = _inspect(file)
    _take_from_workers(video, by)
    name = default_storage.save(_place(video, "file"), file)
    facts = {"file": name, "file_bytes": file.size, "file_sha256": digest, "thumbnail": "", "subtitles": ""}
    if not settling.complete(video, duration=duration, **facts):
        raise moved_meanwhile()
    logger.info("completed_by_staff", video_id=str(video.pk), by=by, seconds=str(duration), sha256=digest)
    return video


def _take_from_workers(video: Video, by: str) -> None:
    """A worker that stored HeyGen's file at the same time would write under the same name."""
    if video.status == Status.STORING:
        lease(video, seconds=UPLOAD_LEASE)
        return
    # Without `rendered_at`: nothing is learned from it about how long HeyGen takes.
    taken = video.move(
        Status.STORING,
        reason="completed_by_staff",
        detail=f"by {by}",
        due_at=from_now(UPLOAD_LEASE),
        deadline_at=from_now(settings.VIDEO_STORE_DEADLINE),
    )
    if not taken:
        raise moved_meanwhile()


def _inspect(file: "File[bytes]") -> tuple[Decimal, str]:
    """Length in seconds and sha256 of an upload, left at its beginning."""
    if file.size > settings.VIDEO_MAX_BYTES:
        raise ValidationFailed(details={"file": f"Is larger than {settings.VIDEO_MAX_BYTES} bytes."})
    try:
        info = mp4.inspect(cast(BinaryIO, file), file.size)
    except mp4.BrokenFile as error:
        raise ValidationFailed(details={"file": f"Is not a whole MP4: {error}."}) from error
    hasher = hashlib.sha256()
    for chunk in file.chunks():
        hasher.update(chunk)
    file.seek(0)
    return info.duration_seconds, hasher.hexdigest()


def replace_file(video_id: str) -> bool:
    """Fetch a completed video's files anew and put them in the place of ours. False when that came to nothing.

    No money moves: the length that was charged stands.
    """
    video = Video.objects.filter(pk=video_id, status=Status.COMPLETED, deleted_at=None, expired_at=None).first()
    if video is None:
        return False
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{video.pk}-", dir=settings.WORK_DIR) as folder:
            facts = _fetch_anew(video, client_of(video), Path(folder))
    except (HeyGenError, HttpError, mp4.BrokenFile, OSError) as error:
        logger.error("file_not_replaced", video_id=video_id, error=repr(error))
        return False
    ours = Video.objects.filter(pk=video.pk, deleted_at=None, expired_at=None)
    if not ours.update(updated_at=timezone.now(), **facts):
        forget_files(video)
        return False
    logger.info("file_replaced", video_id=video_id, before=video.file_sha256, sha256=facts["file_sha256"])
    return True


def _fetch_anew(video: Video, client: HeyGenClient, folder: Path) -> dict[str, Any]:
    """All is downloaded and checked before anything of ours is overwritten."""
    remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    hasher = hashlib.sha256()
    main = _download(client, remote.file_url or "", folder / NAMES["file"], settings.VIDEO_MAX_BYTES, hasher)
    with main.open("rb") as file:
        mp4.inspect(file, main.stat().st_size)
    found = {"file": main}
    for field, url in (("thumbnail", remote.thumbnail_url), ("subtitles", remote.subtitles_url)):
        if url:
            found[field] = _download(client, url, folder / NAMES[field], SIDE_FILE_LIMIT, hashlib.sha256())
    if "subtitles" in found:
        found["subtitles_vtt"] = folder / NAMES["subtitles_vtt"]
        found["subtitles_vtt"].write_bytes(vtt_of(found["subtitles"].read_bytes()))
    facts: dict[str, Any] = {"file_bytes": main.stat().st_size, "file_sha256": hasher.hexdigest()}
    return facts | {field: _keep(video, field, path) for field, path in found.items()}


def _download(client: HeyGenClient, url: str, path: Path, limit: int, hasher: Any) -> Path:
    with path.open("wb") as sink:
        client.download_media(url, sink, max_bytes=limit, timeout=settings.VIDEO_DOWNLOAD_TIMEOUT, hasher=hasher)
    return path


def _keep(video: Video, field: str, path: Path) -> str:
    with path.open("rb") as raw:
        return default_storage.save(str(getattr(video, field)) or _place(video, field), File(raw, name=path.name))


def _place(video: Video, field: str) -> str:
    return f"videos/{video.account_id}/{video.pk}/{NAMES[field]}"
