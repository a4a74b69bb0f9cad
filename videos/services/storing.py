"""Bringing the finished file home: streamed, checked, kept under our own name. HeyGen's links expire, ours do not."""

import hashlib
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from genvid.heygen.client import HeyGenClient, get_client
from genvid.heygen.errors import HeyGenError, NotFound
from genvid.heygen.types import RemoteVideo
from genvid.http import HttpError
from videos import mp4, provider
from videos.enums import Status
from videos.models import Video
from videos.services import settling

logger = structlog.get_logger(__name__)
SIDE_FILE_LIMIT = 10 * 1024 * 1024
PATIENT_TRIES = 5
"""A video may do without its thumbnail or subtitles, but not before this many tries."""


class Unusable(Exception):
    """What came is not what was ordered; trying again may help."""


@dataclass(frozen=True)
class Fetched:
    path: Path
    bytes: int
    sha256: str


class LocalFile(File):  # type: ignore[type-arg]
    """A finished download. Storage on the same disk moves it instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


class LeaseKeeper:
    """A sink that renews the lease while bytes come in, so that a long download is not begun twice."""

    def __init__(self, file: BinaryIO, video: Video) -> None:
        self.file, self.video, self.renewed = file, video, time.monotonic()

    def write(self, data: bytes) -> int:
        if time.monotonic() - self.renewed > settings.VIDEO_STORE_LEASE / 3:
            self.video.extend_lease(settings.VIDEO_STORE_LEASE)
            self.renewed = time.monotonic()
        return self.file.write(data)


def store_video(video_id: str) -> None:
    """Fetch, check, keep, settle. A crash at any line leaves a lease that runs out, and the next try starts afresh."""
    video = Video.objects.filter(pk=video_id, status=Status.STORING).select_related("avatar").first()
    if video is None or not video.take(settings.VIDEO_STORE_LEASE):
        return
    try:
        _store(video, get_client())
    except NotFound as error:
        _gone(video, error)
    except Exception as error:  # noqa: BLE001 - a full disk, a bucket's own error, no price: HeyGen still has the file
        _postpone(video, error)


def _postpone(video: Video, error: Exception) -> None:
    expected = isinstance(error, (HeyGenError, HttpError, Unusable, mp4.BrokenFile, OSError))
    log = logger.warning if expected else logger.exception
    log("storing_postponed", video_id=str(video.pk), error=repr(error), tries=video.tries)
    retry_after = min(getattr(error, "retry_after", None) or 0.0, provider.MAX_BUSY_SECONDS)
    backoff = min(300.0, settings.VIDEO_RETRY_SECONDS * 2 ** min(video.tries, 6))
    video.postpone(max(retry_after, backoff), f"{type(error).__name__}: {error}")


def _store(video: Video, client: HeyGenClient) -> None:
    # Read again each time: the links are signed and may have expired since the last look.
    remote = client.get_video(video.provider_video_id or "", captioned=video.captions)
    if not remote.file_url:
        raise Unusable("HeyGen names no file")
    if video.captions and not remote.captioned_file_url and video.tries < PATIENT_TRIES:
        # The captioned file comes some seconds after the plain one.
        raise Unusable("HeyGen names no captioned file yet")
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{video.pk}-", dir=settings.WORK_DIR) as folder:
        _fetch_and_keep(video, client, remote, remote.file_url, Path(folder))


def _fetch_and_keep(video: Video, client: HeyGenClient, remote: RemoteVideo, url: str, folder: Path) -> None:
    main = _fetch(client, url, folder / "video.mp4", video, settings.VIDEO_MAX_BYTES)
    with main.path.open("rb") as file:
        info = mp4.inspect(file, main.bytes)
    _compare(video, info.duration_seconds, remote.duration)
    thumbnail = _fetch_side(client, remote.thumbnail_url, folder / "thumbnail.jpg", video)
    subtitles = _fetch_side(client, remote.subtitles_url, folder / "captions.srt", video)
    files: dict[str, Any] = {"file": _keep(video, main.path), "file_bytes": main.bytes}
    files["file_sha256"] = main.sha256
    files["thumbnail"] = _keep(video, thumbnail.path) if thumbnail else ""
    files["subtitles"] = _keep(video, subtitles.path) if subtitles else ""
    if not settling.complete(video, duration=info.duration_seconds, **files):
        _drop_unless_completed(video)


def _drop_unless_completed(video: Video) -> None:
    """Somebody else settled it meanwhile: unless as completed, under the same names, our files belong to nobody."""
    if not Video.objects.filter(pk=video.pk, status=Status.COMPLETED, deleted_at=None).exists():
        forget_files(video)


def _compare(video: Video, ours: Decimal, theirs: float | None) -> None:
    if theirs is not None and abs(float(ours) - theirs) > 1:
        logger.warning("duration_differs", video_id=str(video.pk), file=str(ours), provider=theirs)


def _fetch(client: HeyGenClient, url: str, path: Path, video: Video, limit: int) -> Fetched:
    hasher = hashlib.sha256()
    with path.open("wb") as file:
        sink: Any = LeaseKeeper(file, video)
        client.download_media(url, sink, max_bytes=limit, timeout=settings.VIDEO_DOWNLOAD_TIMEOUT, hasher=hasher)
    return Fetched(path, path.stat().st_size, hasher.hexdigest())


def _fetch_side(client: HeyGenClient, url: str | None, path: Path, video: Video) -> Fetched | None:
    """Thumbnail or subtitles: insisted on for a while, then done without."""
    try:
        if not url:
            raise Unusable(f"HeyGen names no {path.name}")
        return _fetch(client, url, path, video, SIDE_FILE_LIMIT)
    except (HeyGenError, HttpError, Unusable) as error:
        if video.tries < PATIENT_TRIES:
            raise
        logger.warning("stored_without", video_id=str(video.pk), name=path.name, error=repr(error))
        return None


def _keep(video: Video, path: Path) -> str:
    """Under a name that every try shares, so that a repeated try overwrites instead of piling up."""
    name = f"videos/{video.account_id}/{video.pk}/{path.name}"
    with path.open("rb") as raw:
        file = LocalFile(raw, name=str(path))
        return default_storage.save(name, file)


def _gone(video: Video, error: HeyGenError) -> None:
    settling.fail(
        video,
        code="render_lost",
        message="The finished video was lost at the video service. Nothing was charged.",
        retryable=True,
        reason="gone_at_provider",
        provider_error=str(error),
    )


def give_up_storing(video: Video) -> None:
    failed = settling.fail(
        video,
        code="storage_failed",
        message="The finished video could not be stored. Nothing was charged.",
        retryable=True,
        reason="store_deadline",
        provider_error=video.waiting_reason,
    )
    # Only now: whoever moves the video first decides, and a completed one keeps its files.
    if failed:
        forget_files(video)


def forget_files(video: Video) -> None:
    """Remove every file that a video of ours can have, named in its row or not. Raises OSError."""
    for name in ("video.mp4", "thumbnail.jpg", "captions.srt"):
        default_storage.delete(f"videos/{video.account_id}/{video.pk}/{name}")


def clear_leftovers(older_than: float) -> None:
    """Remove downloads that a killed worker left, last touched more than `older_than` seconds ago."""
    if not settings.WORK_DIR.exists():
        return
    for folder in settings.WORK_DIR.iterdir():
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > older_than:
                shutil.rmtree(folder, ignore_errors=True)
