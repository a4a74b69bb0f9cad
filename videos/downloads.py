"""Files on their way from HeyGen: whole, checked, resumed where a dead worker stopped, within the room there is.

A video's downloads have a folder of their own below WORK_DIR. Whoever works in it holds its lock, which the kernel
takes back when the process dies; what it leaves is taken up by the next try on the same machine.
"""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import structlog
from django.conf import settings

from genvid.heygen.client import HeyGenClient
from genvid.heygen.errors import Unknown
from genvid.http import Head, RangeRefused
from videos.enums import Status
from videos.models import Video

logger = structlog.get_logger(__name__)
CHUNK = 1024 * 1024
LOOK_BYTES = 16 * 1024 * 1024
"""After so many bytes more, the free room is looked at again: others fill the same disk."""
LOCK = "lock"


class Occupied(Exception):
    """Another worker of this machine is at it."""


class NoRoom(Exception):
    """The file would not leave VIDEO_DISK_RESERVE bytes free."""


class MovedOn(Exception):
    """The video has ended meanwhile: its file is of no more use."""


@dataclass(frozen=True)
class Fetched:
    path: Path
    bytes: int
    sha256: str


class WatchedFile:
    """A sink that renews the lease while bytes come in, so that a long download is not begun twice, and minds the disk.

    Raises MovedOn and NoRoom.
    """

    def __init__(self, file: BinaryIO, folder: Path, video: Video) -> None:
        self.file, self.folder, self.video = file, folder, video
        self.renewed, self.unseen = time.monotonic(), 0

    def write(self, data: bytes) -> int:
        if time.monotonic() - self.renewed > settings.VIDEO_STORE_LEASE / 3:
            hold_on(self.video, settings.VIDEO_STORE_LEASE)
            self.renewed = time.monotonic()
        self.unseen += len(data)
        if self.unseen > LOOK_BYTES:
            _require_room(self.folder, 0)
            self.unseen = 0
        return self.file.write(data)


def hold_on(video: Video, seconds: float) -> None:
    """Renew the lease. Raises MovedOn."""
    if not video.extend(seconds):
        raise MovedOn("the video has ended meanwhile")


@contextmanager
def workplace(video_id: UUID) -> Iterator[Path]:
    """The folder of one video's downloads, ours alone. Raises Occupied. What is left in it waits for the next try."""
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
            raise Occupied("another worker is storing this video") from None
        # Its last holder may have removed it; the next to come makes and locks another file of that name.
        if not (folder / LOCK).exists() or not os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat()):
            raise Occupied("another worker has just cleared this folder")
        yield


def clear(folder: Path) -> None:
    """Remove a workplace; only the holder of its lock may. The sweep tries again what cannot be removed now.

    The lock goes last: without it, somebody else may enter.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != LOCK:
                path.unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def fetch(client: HeyGenClient, url: str, path: Path, video: Video, limit: int) -> Fetched:
    """Download `url` into `path`, from where an earlier try stopped if the file there is still the same."""
    try:
        return _fetch(client, url, path, video, limit)
    except Unknown as error:
        if error.code != RangeRefused.__name__.lower():
            raise
    logger.info("download_restarted", video_id=str(video.pk), name=path.name)
    _mark_of(path).unlink(missing_ok=True)
    return _fetch(client, url, path, video, limit)


def _fetch(client: HeyGenClient, url: str, path: Path, video: Video, limit: int) -> Fetched:
    start, etag = _part(path)
    hasher = hashlib.sha256()
    if start:
        _feed(hasher, path)
        logger.info("download_resumed", video_id=str(video.pk), name=path.name, start=start)

    def begin(head: Head) -> None:
        """Before the first byte: room for all of it, and the mark by which the next try knows the same file."""
        _require_room(path.parent, head.bytes - start if head.bytes else 0)
        if not start:
            _note_mark(path, head.etag)

    with path.open("ab" if start else "wb") as file:
        sink: Any = WatchedFile(file, path.parent, video)
        client.download_media(
            url,
            sink,
            max_bytes=limit,
            timeout=settings.VIDEO_DOWNLOAD_TIMEOUT,
            hasher=hasher,
            start=start,
            etag=etag,
            begin=begin,
        )
    return Fetched(path, path.stat().st_size, hasher.hexdigest())


def _part(path: Path) -> tuple[int, str | None]:
    """Bytes of an earlier try and the mark of their file; without a mark nobody knows what they belong to.

    The last byte is dropped, to be asked for again: a part that is the whole file would have no rest to ask for.
    """
    try:
        etag, size = _mark_of(path).read_text(), path.stat().st_size
    except FileNotFoundError:
        return 0, None
    if not etag or size < 2:
        return 0, None
    os.truncate(path, size - 1)
    return size - 1, etag


def _note_mark(path: Path, etag: str | None) -> None:
    """Only a strong one: a weak one may stay the same while bytes change (RFC 9110, section 8.8.1)."""
    if etag and not etag.startswith("W/"):
        _mark_of(path).write_text(etag)
    else:
        _mark_of(path).unlink(missing_ok=True)


def _mark_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.etag")


def _feed(hasher: Any, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free - needed < settings.VIDEO_DISK_RESERVE:
        raise NoRoom(f"{needed} bytes are needed, {free} are free; {settings.VIDEO_DISK_RESERVE} stay reserved")


def clear_leftovers(older_than: float) -> None:
    """Remove the downloads of videos that have ended, and whatever else nobody has touched for `older_than` seconds.

    What waits for the next try of a video stays, and so does what somebody is working on.
    """
    if not settings.WORK_DIR.exists():
        return
    folders = {folder: _owner_of(folder) for folder in settings.WORK_DIR.iterdir()}
    owners = Video.objects.filter(pk__in=[owner for owner in folders.values() if owner])
    statuses = dict(owners.values_list("pk", "status"))
    for folder, owner in folders.items():
        status = statuses.get(owner)
        with suppress(OSError, Occupied):
            if status != Status.STORING and (status or time.time() - folder.stat().st_mtime > older_than):
                _clear_unlocked(folder)


def _owner_of(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None


def _clear_unlocked(folder: Path) -> None:
    with _locked(folder):
        clear(folder)
