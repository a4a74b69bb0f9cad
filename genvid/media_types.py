"""The Content-Type of each kind of stored file."""

import mimetypes
from pathlib import PurePosixPath

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".srt": "application/x-subrip; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".zip": "application/zip",
}


def media_type_of(name: str) -> str:
    """By the suffix. The machine's own table comes last: it does not know subtitles."""
    known = MEDIA_TYPES.get(PurePosixPath(name).suffix)
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"
