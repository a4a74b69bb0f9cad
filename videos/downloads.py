"""Files on their way from HeyGen: whole, checked, resumed where a dead worker stopped, within the room there is.

A video's downloads have a folder of their own below WORK_DIR. Whoever works in it holds its lock, which the kernel
takes back when the process dies; what it leaves is taken up by the next try on the same machine.
"""

import fcntl
import hashlib
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
from videos.models import Video

logger = structlog.get_logger(__name__)
CHUNK = 1024 * 1024


class Occupied(Exception):
    """Another worker of this machine is at it."""


class NoRoom(Exception):
    """The file would not leave VIDEO_DISK_RESERVE bytes free."""


@dataclass(frozen=True)
class Fetched:
    path: Path
    bytes: int
    sha256: str


class LeaseKeeper:
    """A sink that renews the lease while bytes come in, so that a long download is not begun twice."""

    def __init__(self, file: BinaryIO, video: Video) -> None:
        self.file, self.video, self.renewed = file, video, time.monotonic()

    def write(self, data: bytes) -> int:
        if time.monotonic() - self.renewed > settings.VIDEO_STORE_LEASE / 3:
            self.video.extend_lease(settings.VIDEO_STORE_LEASE)
            self.renewed = time.monotonic()
        return self.file.write(data)


@contextmanager
def workplace(video_id: UUID) -> Iterator[Path]:
    """The folder of one video's downloads, ours alone. Raises Occupied. What is left in it waits for the next try."""
    folder: Path = settings.WORK_DIR / str(video_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        _lock(lock)
        yield folder


def _lock(file: Any) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Occupied("another worker is storing this video") from None


def clear(folder: Path) -> None:
    """Remove a workplace; its owner, or whoever holds its lock, may."""
    shutil.rmtree(folder, ignore_errors=True)


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
        _require_room(path.parent, (head.bytes or limit) - start if head.bytes else 0)
        if head.etag and not start:
            _mark_of(path).write_text(head.etag)

    with path.open("ab" if start else "wb") as file:
        sink: Any = LeaseKeeper(file, video)
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
    """Bytes of an earlier try and the mark of their file; without a mark nobody knows what they belong to."""
    try:
        etag, size = _mark_of(path).read_text(), path.stat().st_size
    except FileNotFoundError:
        return 0, None
    return (size, etag) if etag and size else (0, None)


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
    """Remove downloads that nobody has touched for `older_than` seconds, and nobody is working on."""
    if not settings.WORK_DIR.exists():
        return
    for folder in settings.WORK_DIR.iterdir():
        with suppress(OSError, Occupied):
            if time.time() - folder.stat().st_mtime > older_than:
                _clear_unlocked(folder)


def _clear_unlocked(folder: Path) -> None:
    with (folder / "lock").open("w") as lock:
        _lock(lock)
        clear(folder)
