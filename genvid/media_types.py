"""Which Content-Type each kind of stored file is sent with."""

import mimetypes
from pathlib import PurePosixPath

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".srt": "application/x-subrip; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".zip": "application/zip",
}


def media_type_of(name: str) -> str:
    """By the name's suffix. The machine's own table is asked last: it knows no subtitles."""
    known = MEDIA_TYPES.get(PurePosixPath(name).suffix)
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"
