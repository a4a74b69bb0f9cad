"""The name under which a video's files are saved."""

import re
from pathlib import Path

from videos.models import Video

MAX_FILENAME = 80
NOT_IN_FILENAMES = frozenset('\\/:*?"<>|')


def filename_of(video: Video, stored: str) -> str:
    words = video.title or " ".join(re.sub(r"<[^>]*>", " ", video.script or "").split()[:8])
    allowed = (" " if char in NOT_IN_FILENAMES or not char.isprintable() else char for char in words)
    plain = " ".join("".join(allowed).split())[:MAX_FILENAME].strip(" .")
    return (plain or "video") + Path(stored).suffix
