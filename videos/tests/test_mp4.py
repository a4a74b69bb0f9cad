"""Checks of MP4 files: which are whole and playable."""

import io
import struct
from decimal import Decimal

import pytest

from genvid.sandbox.renderer.clip import render_clip
from genvid.sandbox.renderer.job import RenderJob
from genvid.tests.properties import given, settings, st
from videos.media.mp4 import MOOV_LIMIT, BrokenFile, Mp4Info, inspect

QUICK = settings(max_examples=150, deadline=None, derandomize=True)


def box(kind: bytes, payload: bytes = b"", *, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(payload) + 16) + payload
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def mvhd(units: int = 4500, timescale: int = 1000, version: int = 0) -> bytes:
    times = struct.pack(">QQIQ", 0, 0, timescale, units) if version else struct.pack(">IIII", 0, 0, timescale, units)
    return box(b"mvhd", bytes([version, 0, 0, 0]) + times + bytes(80))


def track(handler: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(12))))


FTYP, MDAT = box(b"ftyp", b"isom\x00\x00\x02\x00"), box(b"mdat", b"picture and sound")
TRACKS = track(b"vide") + track(b"soun")
MOOV = box(b"moov", mvhd() + TRACKS)
GOOD = FTYP + MOOV + MDAT
INFO = Mp4Info(Decimal("4.500"), frozenset({"vide", "soun"}))


def read(data: bytes, size: int | None = None) -> Mp4Info:
    return inspect(io.BytesIO(data), len(data) if size is None else size)


def boundaries(data: bytes, start: int = 0, end: int | None = None) -> list[int]:
    """The offsets at which a box starts or ends, at any depth."""
    found, end = [start], len(data) if end is None else end
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            found += boundaries(data, start + 8, start + size)
        start += size
        found.append(start)
    return sorted(set(found))


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> bytes:
    """A clip as the sandbox renders it."""
    job = RenderJob(script="Hello.", persona="Ada", voice="Ada", width=160, height=90)
    return render_clip(job, tmp_path_factory.mktemp("clip")).video.read_bytes()


# ── Good files


def test_a_whole_mp4_has_its_duration_and_tracks():
    assert read(GOOD) == INFO


def test_a_rendered_clip_has_its_duration_and_tracks(clip):
    info = read(clip)
    assert info.tracks == frozenset({"vide", "soun"})
    assert Decimal("0.5") < info.duration_seconds < Decimal(10)


FINE = {
    "the index last": FTYP + MDAT + MOOV,
    "free space between": FTYP + box(b"free", bytes(9)) + MOOV + box(b"free") + MDAT,
    "wide sizes": box(b"ftyp", b"isom", wide=True) + MOOV + box(b"mdat", b"x", wide=True),
    "the last box to the end": FTYP + MOOV + struct.pack(">I4s", 0, b"mdat") + b"picture",
    "an empty mdat": FTYP + MOOV + box(b"mdat"),
    "wide times": FTYP + box(b"moov", mvhd(version=1) + TRACKS) + MDAT,
    "an unknown box inside": FTYP + box(b"moov", box(b"udta", b"x") + mvhd() + TRACKS) + MDAT,
}


@pytest.mark.parametrize("data", FINE.values(), ids=FINE.keys())
def test_an_mp4_with_its_boxes_in_another_order_is_read(data):
    assert read(data) == INFO


def test_a_silent_picture_is_a_video():
    assert read(FTYP + box(b"moov", mvhd() + track(b"vide")) + MDAT).tracks == frozenset({"vide"})


@pytest.mark.parametrize(
    ("units", "timescale", "duration"),
    [(1, 1000, "0.001"), (1, 3, "0.333"), (90_000 * 7, 90_000, "7.000"), (2**32 - 2, 10**6, "4294.967")],
)
def test_the_duration_of_an_mp4_is_exact_to_the_millisecond(units, timescale, duration):
    data = FTYP + box(b"moov", mvhd(units, timescale) + TRACKS) + MDAT
    assert read(data).duration_seconds == Decimal(duration)


# ── Broken files

BROKEN = {
    "nothing": b"",
    "a page": b"<html><body>503 Service Unavailable</body></html>",
    "zeros": bytes(64),
    "no ftyp": MOOV + MDAT,
    "no index": FTYP + MDAT,
    "no data": FTYP + MOOV,
    "sound alone": FTYP + box(b"moov", mvhd() + track(b"soun")) + MDAT,
    "no tracks": FTYP + box(b"moov", mvhd()) + MDAT,
    "no header": FTYP + box(b"moov", TRACKS) + MDAT,
    "no duration": FTYP + box(b"moov", mvhd(0) + TRACKS) + MDAT,
    "no timescale": FTYP + box(b"moov", mvhd(timescale=0) + TRACKS) + MDAT,
    "a header cut short": FTYP + box(b"moov", TRACKS + box(b"mvhd", bytes(4))) + box(b"mdat"),
    "an empty index": FTYP + box(b"moov") + MDAT,
    "a box smaller than its header": FTYP + struct.pack(">I4s", 7, b"moov") + MDAT,
    "a wide box smaller than its header": FTYP + struct.pack(">I4sQ", 1, b"moov", 15) + MDAT,
    "a wide box without its size": FTYP + MOOV + struct.pack(">I4s", 1, b"mdat"),
    "a box beyond the end": FTYP + MOOV + struct.pack(">I4s", 99, b"mdat"),
    "a box beyond its parent": FTYP + box(b"moov", mvhd() + struct.pack(">I4s", 99, b"trak")) + MDAT,
    "a box beyond all measure": FTYP + MOOV + struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1),
    "a stray byte at the end": GOOD + b"x",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_is_no_whole_mp4_is_broken(data):
    with pytest.raises(BrokenFile):
        read(data)


@pytest.mark.parametrize("end", boundaries(GOOD)[:-1])
def test_an_mp4_cut_off_between_two_boxes_is_broken(end):
    with pytest.raises(BrokenFile):
        read(GOOD[:end])


@pytest.mark.parametrize("end", range(1, len(GOOD), 7))
def test_an_mp4_cut_off_anywhere_is_broken(end):
    with pytest.raises(BrokenFile):
        read(GOOD[:end])


def test_a_rendered_clip_cut_off_at_any_box_is_broken(clip):
    def is_broken(end: int) -> bool:
        with pytest.raises(BrokenFile):
            read(clip[:end])
        return True

    assert all(is_broken(end) for end in boundaries(clip)[:-1])


def test_an_mp4_shorter_than_its_announced_size_is_broken():
    with pytest.raises(BrokenFile):
        read(GOOD, size=len(GOOD) + 8)


def test_an_mp4_index_of_absurd_size_is_not_read():
    size = MOOV_LIMIT + 100
    data = FTYP + MDAT + struct.pack(">I4s", size, b"moov")
    with pytest.raises(BrokenFile, match="absurd"):
        read(data, size=len(FTYP + MDAT) + size)


def test_an_mp4_with_endlessly_nested_boxes_is_broken():
    nested = b""
    for _ in range(3000):
        nested = box(b"trak", nested)
    with pytest.raises(BrokenFile):
        read(FTYP + box(b"moov", nested) + MDAT)


@pytest.mark.parametrize(("units", "version"), [(2**32 - 1, 0), (2**64 - 1, 1)])
def test_an_unknown_mp4_duration_is_none(units, version):
    with pytest.raises(BrokenFile):
        read(FTYP + box(b"moov", mvhd(units, version=version) + TRACKS) + MDAT)


def judged(data: bytes) -> bool:
    """Whether the bytes are a video; raises whatever is no verdict."""
    try:
        return bool(read(data).tracks)
    except BrokenFile:
        return False


@QUICK
@given(st.binary(max_size=400))
def test_random_bytes_are_no_video(data):
    assert judged(data) is False


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6))
def test_a_damaged_mp4_is_read_or_broken(patches):
    data = bytearray(GOOD)
    for place, patch in patches:
        data[place : place + len(patch)] = patch
    assert judged(bytes(data)) in (True, False)


KINDS = st.sampled_from([b"ftyp", b"moov", b"mdat", b"trak", b"mdia", b"mvhd", b"hdlr", b"free"])
boxes = st.recursive(
    st.builds(box, KINDS, st.binary(max_size=40)),
    lambda inner: st.builds(lambda kind, parts: box(kind, b"".join(parts)), KINDS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@QUICK
@given(st.lists(boxes, max_size=6))
def test_any_mp4_boxes_are_read_or_broken(parts):
    assert judged(b"".join(parts)) in (True, False)
