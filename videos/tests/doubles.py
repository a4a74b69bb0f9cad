"""Stand-ins at the edges: the heygen_double to HeyGen with calls taken over, and storages that misbehave."""

import struct
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.files.storage import FileSystemStorage

from genvid.heygen.heygen_client import HeyGenClient
from genvid.heygen.heygen_client import get_client as real_client


class HeyGenDouble:
    """The real client, with calls that a test may replace. A replacement gets this object first, then the arguments."""

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


class SlowlyDeleting(FileSystemStorage):
    """Something happens right after the first file was deleted."""

    meanwhile: ClassVar[Callable[[], Any] | None] = None

    def delete(self, name: str) -> None:
        super().delete(name)
        deed, SlowlyDeleting.meanwhile = SlowlyDeleting.meanwhile, None
        if deed:
            deed()


class SlowlySaving(FileSystemStorage):
    """Something happens right after the first file was saved."""

    meanwhile: ClassVar[Callable[[], Any] | None] = None

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)
        deed, SlowlySaving.meanwhile = SlowlySaving.meanwhile, None
        if deed:
            deed()
        return saved


class BucketError(Exception):
    """As the libraries of object stores raise it: no OSError."""


class BrokenBucket(FileSystemStorage):
    def delete(self, name: str) -> None:
        raise BucketError("503 Slow Down")


class FullBucket(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        raise BucketError("503 Slow Down")


def tiny_mp4(seconds: int) -> bytes:
    """Not a picture in it, but every box that says what it is and how long (ISO/IEC 14496-12)."""
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, seconds * 1000), bytes(80))
    hdlr = _box(b"hdlr", bytes(8), b"vide", bytes(12))
    moov = _box(b"moov", mvhd, _box(b"trak", _box(b"mdia", hdlr)))
    return _box(b"ftyp", b"isom", bytes(4)) + moov + _box(b"mdat", bytes(16))


def _box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body
