"""Reads enough of an MP4 to know that it is whole and playable: ISO/IEC 14496-12 boxes.

No maintained library does this without a media stack: tinytag and mutagen read audio tags, PyAV carries FFmpeg.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

MOOV_LIMIT = 64 * 1024 * 1024
MAX_DEPTH = 8
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class BrokenFile(Exception):
    """Not an MP4, truncated, or without picture."""


@dataclass(frozen=True)
class Mp4Info:
    duration_seconds: Decimal
    tracks: frozenset[str]
    """Handler types: "vide", "soun"."""


@dataclass(frozen=True)
class Box:
    kind: bytes
    start: int
    end: int


def inspect(file: BinaryIO, size: int) -> Mp4Info:
    """Duration and tracks. Raises BrokenFile, also when the last box announces more bytes than there are."""
    boxes = {box.kind: box for box in _boxes(file, 0, size)}
    missing = [kind.decode() for kind in (b"ftyp", b"moov", b"mdat") if kind not in boxes]
    if missing:
        raise BrokenFile(f"no {', '.join(missing)} box")
    moov = boxes[b"moov"]
    if moov.end - moov.start > MOOV_LIMIT:
        raise BrokenFile("an index of absurd size")
    found = list(_walk(file, moov))
    duration = next((_duration(file, box) for box in found if box.kind == b"mvhd"), Decimal(0))
    tracks = frozenset(_handler(file, box) for box in found if box.kind == b"hdlr")
    if duration <= 0 or "vide" not in tracks:
        raise BrokenFile("no picture, or no duration")
    return Mp4Info(duration, tracks)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    while start < end:
        size, kind, header = _header(file, start, end)
        if size < header or start + size > end:
            raise BrokenFile(f"the box at byte {start} goes beyond the end")
        yield Box(kind, start + header, start + size)
        start += size


def _header(file: BinaryIO, start: int, end: int) -> tuple[int, bytes, int]:
    file.seek(start)
    head = file.read(8)
    if len(head) < 8:
        raise BrokenFile("cut off inside a box header")
    size, kind = struct.unpack(">I4s", head)
    if size == 0:
        return end - start, kind, 8
    if size == 1:
        wide = file.read(8)
        if len(wide) < 8:
            raise BrokenFile("cut off inside a box header")
        return struct.unpack(">Q", wide)[0], kind, 16
    return size, kind, 8


def _walk(file: BinaryIO, parent: Box, depth: int = 0) -> Iterator[Box]:
    if depth > MAX_DEPTH:
        raise BrokenFile("boxes inside boxes without end")
    for box in _boxes(file, parent.start, parent.end):
        yield box
        if box.kind in CONTAINERS:
            yield from _walk(file, box, depth + 1)


def _duration(file: BinaryIO, mvhd: Box) -> Decimal:
    file.seek(mvhd.start)
    data = file.read(32)
    layout, offset = (">IQ", 20) if data[:1] == b"\x01" else (">II", 12)
    if len(data) < offset + struct.calcsize(layout):
        raise BrokenFile("cut off inside mvhd")
    timescale, units = struct.unpack_from(layout, data, offset)
    if units == 2 ** (8 * struct.calcsize(layout[0] + layout[2])) - 1:
        raise BrokenFile("a duration that is not known")
    return (Decimal(units) / Decimal(timescale)).quantize(Decimal("0.001")) if timescale else Decimal(0)


def _handler(file: BinaryIO, hdlr: Box) -> str:
    file.seek(hdlr.start + 8)
    return file.read(4).decode("latin-1")
