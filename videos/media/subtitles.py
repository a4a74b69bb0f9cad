"""Converts HeyGen's SubRip captions to WebVTT for browsers (w3.org/TR/webvtt1, section 4)."""

import re

TIMES = re.compile(r"^\s*(\d+:)?(\d{1,2}:\d{2})[,.](\d{1,3})\s*-->\s*(\d+:)?(\d{1,2}:\d{2})[,.](\d{1,3})", re.MULTILINE)
BLANK_LINES = re.compile(r"\n{3,}")


def vtt_of(srt: bytes) -> bytes:
    """Tolerates a byte order mark, any line ends, missing hours and bad bytes."""
    text = srt.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    cues = TIMES.sub(_times, _escaped(text)).strip("\n")
    return f"WEBVTT\n\n{BLANK_LINES.sub(chr(10) * 2, cues)}\n".encode()


def _escaped(text: str) -> str:
    """WebVTT reads `&` and `<` as markup. `-->` stays: it separates times only."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _times(match: re.Match[str]) -> str:
    start = f"{_hours(match[1])}:{_padded(match[2])}.{match[3]:0<3}"
    return f"{start} --> {_hours(match[4])}:{_padded(match[5])}.{match[6]:0<3}"


def _hours(text: str | None) -> str:
    return (text or "0:").rstrip(":").zfill(2)


def _padded(minutes_and_seconds: str) -> str:
    return minutes_and_seconds.zfill(5)
