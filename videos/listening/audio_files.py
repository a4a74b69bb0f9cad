"""The audio of a speech in our own storage: HeyGen's link expires."""

import hashlib
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from genvid.heygen.speech_wire import Spoken
from genvid.media_types import media_type_of
from videos.media import resumable_downloads
from videos.models import Speech

Fetch = Callable[..., object]
"""Copies a file into a sink, with the arguments of `HeyGenClient.download_media`."""
MAX_BYTES = 128 * 1024**2
SUFFIXES = (".mp3", ".wav", ".m4a", ".ogg")


class UnusableAudio(Exception):
    """What came is no audio that we know."""


@dataclass(frozen=True)
class StoredAudio:
    name: str
    filename: str
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: Decimal


def store_audio(speech: Speech, fetch: Fetch, spoken: Spoken) -> StoredAudio:
    """Copy it under a name that every try shares, so that a retry overwrites. Raises HeyGenError and UnusableAudio."""
    resumable_downloads.require_disk_space(0)
    with tempfile.TemporaryFile(dir=settings.WORK_DIR) as file:
        fetch(spoken.audio_url, file, max_bytes=MAX_BYTES, timeout=settings.VIDEO_STORE_LEASE)
        suffix = _suffix_of(file)
        duration = _seconds_of(file, suffix) or Decimal(str(spoken.duration))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.seek(0, 2)
        file.seek(0)
        name = default_storage.save(_path(speech, suffix), File(file, name=f"speech{suffix}"))
    return StoredAudio(name, f"speech{suffix}", media_type_of(name), size, digest, duration.quantize(Decimal("0.001")))


def delete_audio(speech: Speech) -> None:
    for suffix in SUFFIXES:
        default_storage.delete(_path(speech, suffix))


def _path(speech: Speech, suffix: str) -> str:
    return f"speech/{speech.account_id}/{speech.pk}/speech{suffix}"


def _suffix_of(file: IO[bytes]) -> str:
    file.seek(0)
    head = file.read(12)
    if head.startswith(b"RIFF") and head[8:] == b"WAVE":
        return ".wav"
    # An ID3 tag, or a frame of MPEG audio at once: eleven set bits (ISO/IEC 11172-3).
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return ".mp3"
    if head[4:8] == b"ftyp":
        return ".m4a"
    if head.startswith(b"OggS"):
        return ".ogg"
    raise UnusableAudio("what HeyGen sent is no audio")


def _seconds_of(file: IO[bytes], suffix: str) -> Decimal | None:
    """By the file's own frames; None where only HeyGen knows."""
    if suffix != ".wav":
        return None
    file.seek(0)
    sound: Any
    try:
        with wave.open(file, "rb") as sound:
            return Decimal(sound.getnframes()) / sound.getframerate() or None
    except (wave.Error, EOFError) as error:
        raise UnusableAudio("what HeyGen sent is a broken recording") from error
