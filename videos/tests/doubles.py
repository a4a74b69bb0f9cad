"""Test doubles: a HeyGen client with replaceable calls, storages that fail, and a minimal MP4."""

import struct
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.files.storage import FileSystemStorage

from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_client import get_client as real_client


class HeyGenDouble:
    """The real client, with calls that a test may replace. A replacement gets this double first, then the arguments."""

    create: Callable[..., Any] | None = None
    read: Callable[..., Any] | None = None
    download: Callable[..., Any] | None = None

    @property
    def real(self) -> HeyGenClient:
        return real_client()

    def create_video(self, *args: Any, **options: Any) -> Any:
        return self.create(self, *args, **options) if self.create else self.real.create_video(*args, **options)

    def get_video(self, *args: Any, **options: Any) -> Any:
        return self.read(self, *args, **options) if self.read else self.real.get_video(*args, **options)

    def download_media(self, *args: Any, **options: Any) -> Any:
        return self.download(self, *args, **options) if self.download else self.real.download_media(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class CallbackAfterDelete(FileSystemStorage):
    """Runs `callback` once, right after the first file is deleted."""

    callback: ClassVar[Callable[[], Any] | None] = None

    def delete(self, name: str) -> None:
        super().delete(name)
        action, CallbackAfterDelete.callback = CallbackAfterDelete.callback, None
        if action:
            action()


class CallbackAfterSave(FileSystemStorage):
    """Runs `callback` once, right after the first file is saved."""

    callback: ClassVar[Callable[[], Any] | None] = None

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)
        action, CallbackAfterSave.callback = CallbackAfterSave.callback, None
        if action:
            action()
        return saved


class BucketError(Exception):
    """An error of an object store's client library, which is no OSError."""


class BrokenBucket(FileSystemStorage):
    def delete(self, name: str) -> None:
        raise BucketError("503 Slow Down")


class FullBucket(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        raise BucketError("503 Slow Down")


def tiny_mp4(seconds: int) -> bytes:
    """An MP4 without pictures: only the boxes that name its type and duration (ISO/IEC 14496-12)."""
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, seconds * 1000), bytes(80))
    hdlr = _box(b"hdlr", bytes(8), b"vide", bytes(12))
    moov = _box(b"moov", mvhd, _box(b"trak", _box(b"mdia", hdlr)))
    return _box(b"ftyp", b"isom", bytes(4)) + moov + _box(b"mdat", bytes(16))


def _box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body
