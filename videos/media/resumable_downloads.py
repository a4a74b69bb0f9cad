"""Downloads into a locked work folder of a video: resumed after a broken connection, within the disk reserve."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import structlog
from django.conf import settings

from genvid.heygen.heygen_errors import Unknown
from genvid.http import Head, RangeRefused
from videos.enums import Status
from videos.models import Video

logger = structlog.get_logger(__name__)
Fetch = Callable[..., object]
"""Copies a file into a sink, with the arguments of `HeyGenClient.download_media`."""
DISK_CHECK_BYTES = 16 * 1024 * 1024
LOCK = "lock"


class FolderInUse(Exception):
    """Another worker of this machine works in this video's folder."""


class DiskFull(Exception):
    """The file would not leave VIDEO_DISK_RESERVE bytes free."""


class VideoEnded(Exception):
    """The video has ended meanwhile, so its file is not needed."""


class WatchedFile:
    """A sink that renews the video's lease and checks the free disk space. Raises VideoEnded and DiskFull."""

    def __init__(self, file: BinaryIO, video: Video) -> None:
        self.file, self.video = file, video
        self.renewed, self.unchecked = time.monotonic(), 0

    def write(self, data: bytes) -> int:
        if time.monotonic() - self.renewed > settings.VIDEO_STORE_LEASE / 3:
            renew_lease(self.video, settings.VIDEO_STORE_LEASE)
            self.renewed = time.monotonic()
        self.unchecked += len(data)
        if self.unchecked > DISK_CHECK_BYTES:
            require_disk_space(0)
            self.unchecked = 0
        return self.file.write(data)


def renew_lease(video: Video, seconds: float) -> None:
    """Raises VideoEnded. A completed video, whose files are being replaced, has no lease."""
    if video.status == Status.STORING and not video.extend(seconds):
        raise VideoEnded("the video has ended meanwhile")


def renew_lease_for_upload(video: Video, seconds: float, *, since: float) -> None:
    """Unless two thirds of the lease, taken at that moment of the monotonic clock, are left after the upload."""
    if time.monotonic() - since + seconds > settings.VIDEO_STORE_LEASE / 3:
        renew_lease(video, settings.VIDEO_STORE_LEASE + seconds)


@contextmanager
def work_folder(video_id: UUID) -> Iterator[Path]:
    folder: Path = settings.WORK_DIR / str(video_id)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        yield folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse("another worker is storing this video") from None
        # The previous holder may have removed the file: then others lock a new file of that name.
        if not (folder / LOCK).exists() or not os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat()):
            raise FolderInUse("another worker has just cleared this folder")
        yield


def clear_folder(folder: Path) -> None:
    """Remove a work folder, its lock last; only the holder of the lock may. The sweep retries failures."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != LOCK:
                path.unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def download(fetch: Fetch, url: str, path: Path, video: Video, limit: int) -> None:
    """Download `url`, resuming an earlier try. `limit`: bytes. Raises HeyGenError, VideoEnded and DiskFull."""
    try:
        _download(fetch, url, path, video, limit)
    except Unknown as error:
        if error.code != RangeRefused.__name__.lower():
            raise
        logger.info("download_restarted", video_id=str(video.pk), name=path.name)
        _etag_file(path).unlink(missing_ok=True)
        _download(fetch, url, path, video, limit)


def _download(fetch: Fetch, url: str, path: Path, video: Video, limit: int) -> None:
    start, etag = _resume_point(path)
    if start:
        logger.info("download_resumed", video_id=str(video.pk), name=path.name, start=start)

    def begin(head: Head) -> None:
        require_disk_space(head.bytes - start if head.bytes else 0)
        if not start:
            _save_etag(path, head.etag)

    with path.open("ab" if start else "wb") as file:
        sink: Any = WatchedFile(file, video)
        fetch(
            url,
            sink,
            max_bytes=limit,
            timeout=settings.VIDEO_DOWNLOAD_TIMEOUT,
            start=start,
            etag=etag,
            begin=begin,
        )


def _resume_point(path: Path) -> tuple[int, str | None]:
    """Size and ETag of an earlier part. Its last byte is dropped: a complete part has no rest to request."""
    try:
        etag, size = _etag_file(path).read_text(), path.stat().st_size
    except FileNotFoundError:
        return 0, None
    if not etag or size < 2:
        return 0, None
    os.truncate(path, size - 1)
    return size - 1, etag


def _save_etag(path: Path, etag: str | None) -> None:
    """Store only a strong ETag: a weak one may stay while bytes change (RFC 9110, section 8.8.1)."""
    if etag and not etag.startswith("W/"):
        _etag_file(path).write_text(etag)
    else:
        _etag_file(path).unlink(missing_ok=True)


def _etag_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.etag")


def require_disk_space(needed: int) -> None:
    """Raises DiskFull unless `needed` bytes more leave VIDEO_DISK_RESERVE free."""
    settings.WORK_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.WORK_DIR).free
    if free - needed < settings.VIDEO_DISK_RESERVE:
        raise DiskFull(f"{needed} bytes are needed, {free} are free; {settings.VIDEO_DISK_RESERVE} stay reserved")


def clear_leftovers(older_than: float) -> None:
    """Remove the work folders of ended videos; those of completed or unknown ones once `older_than` seconds old."""
    if not settings.WORK_DIR.exists():
        return
    folders = {folder: _owner_of(folder) for folder in settings.WORK_DIR.iterdir()}
    owners = Video.objects.filter(pk__in=[owner for owner in folders.values() if owner])
    statuses = dict(owners.values_list("pk", "status"))
    for folder, owner in folders.items():
        status = statuses.get(owner, Status.COMPLETED)
        with suppress(OSError, FolderInUse):
            is_old = time.time() - folder.stat().st_mtime > older_than
            if status != Status.STORING and (status != Status.COMPLETED or is_old):
                with _locked(folder):
                    clear_folder(folder)


def _owner_of(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None
