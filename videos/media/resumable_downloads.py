"""Downloads into the work folder of a video: resumed after a broken connection, within the disk reserve.

A video's work folder lies below WORK_DIR. Whoever works in it holds its lock, which the kernel releases when the
process dies; the next try on the same machine resumes what is left in it.
"""

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
"""After this many bytes the free disk space is checked again: others fill the same disk."""
LOCK = "lock"


class FolderInUse(Exception):
    """Another worker of this machine works in this video's folder."""


class DiskFull(Exception):
    """The file would not leave VIDEO_DISK_RESERVE bytes free."""


class MovedOn(Exception):
    """The video has ended meanwhile: its file is of no more use."""


class WatchedFile:
    """A sink that renews the video's lease and checks the free disk space while bytes come in.

    Raises MovedOn and DiskFull.
    """

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
    """Raises MovedOn. A completed video, whose files are being replaced, has no lease."""
    if video.status == Status.STORING and not video.extend(seconds):
        raise MovedOn("the video has ended meanwhile")


@contextmanager
def work_folder(video_id: UUID) -> Iterator[Path]:
    """The locked folder of one video's downloads; what is left in it waits for the next try. Raises FolderInUse."""
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
        # Its last holder may have removed it; the next to come makes and locks another file of that name.
        if not (folder / LOCK).exists() or not os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat()):
            raise FolderInUse("another worker has just cleared this folder")
        yield


def clear(folder: Path) -> None:
    """Remove a work folder; only the holder of its lock may. The sweep tries again what cannot be removed now.

    The lock goes last: without it, somebody else may enter.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != LOCK:
                path.unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def download(fetch: Fetch, url: str, path: Path, video: Video, limit: int) -> None:
    """Download `url` into `path`, from where an earlier try stopped if the file there is still the same.

    Raises HeyGenError, MovedOn and DiskFull. `limit`: bytes that the file may have.
    """
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
        """Before the first byte."""
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
    """Bytes of an earlier try and the ETag of their file; a part without an ETag is not resumed.

    The last byte is dropped, to be asked for again: a part that is the whole file would have no rest to ask for.
    """
    try:
        etag, size = _etag_file(path).read_text(), path.stat().st_size
    except FileNotFoundError:
        return 0, None
    if not etag or size < 2:
        return 0, None
    os.truncate(path, size - 1)
    return size - 1, etag


def _save_etag(path: Path, etag: str | None) -> None:
    """Only a strong one: a weak one may stay the same while bytes change (RFC 9110, section 8.8.1)."""
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
    """Remove the downloads of videos that have ended, and whatever else nobody has touched for `older_than` seconds.

    What waits for the next try of a video stays, and so does what somebody is working on. The part of a completed
    video, whose files were to be replaced, waits for `older_than` seconds.
    """
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
                    clear(folder)


def _owner_of(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None
