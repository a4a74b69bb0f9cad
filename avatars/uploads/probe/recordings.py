"""Sound and film: copied packet by packet into a new file of one sound and one picture, and measured there.

The copy is what is kept and rendered, so that its length is true whatever the headers of the original say. FFmpeg is
told the format: left to find it out, it also reads lists that name other files.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from avatars.uploads.probe.findings import Findings, Unusable
from avatars.uploads.probe.sniffing import MP3, MP4, WAV, WEBM

LONGEST_SECONDS = 600
SHORTEST_SECONDS = Fraction(1, 10)
MOST_FRAMES_A_SECOND = 130
SIDES = (64, 4096)
CODECS = {
    WAV: ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"),
    MP3: ("mp3", "mp3float"),
    MP4: ("h264", "hevc", "av1", "libdav1d", "vp9", "aac", "mp3", "mp3float", "opus"),
    WEBM: ("vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "opus", "libopus", "vorbis", "libvorbis"),
}
TYPES = {WAV: "audio/wav", MP3: "audio/mpeg", MP4: "video/mp4", WEBM: "video/webm"}
BROKEN = (FFmpegError, OSError, ValueError, EOFError, MemoryError, OverflowError, IndexError, TypeError)
DAMAGED = "The recording is damaged or incomplete."
READS: dict[str, str] = {"protocol_whitelist": "file"}


def rewrite(source: Path, target: Path, found: str) -> Findings:
    """Raises Unusable."""
    try:
        notes = _copy(source, target, found)
        with av.open(str(target), format=_reader(found), options=READS) as copied:
            return _sound(copied, found, notes) if found in (WAV, MP3) else _film(copied, found, notes)
    except BROKEN as error:
        raise Unusable("broken", DAMAGED) from error


def _reader(found: str) -> str:
    return "matroska" if found == WEBM else found


def _copy(source: Path, target: Path, found: str) -> list[str]:
    options = {"movflags": "+faststart"} if found == MP4 else {}
    with av.open(str(source), format=_reader(found), options=READS) as opened:
        wanted = _streams(opened, found)
        _check_codecs(wanted, found)
        left_out = len(opened.streams) - len(wanted)
        with av.open(str(target), "w", format=found, options=options) as out:
            into = {stream.index: out.add_stream_from_template(stream) for stream in wanted}
            for packet in opened.demux(wanted):
                if packet.dts is None:
                    # Marks the end of a stream.
                    continue
                packet.stream = into[packet.stream.index]
                out.mux(packet)
    return ["Other tracks than one picture and one sound were left out."] if left_out else []


def _streams(opened: Any, found: str) -> list[Any]:
    films = [each for each in opened.streams.video if not _is_cover(each)]
    sounds = list(opened.streams.audio)
    if found in (WAV, MP3):
        if len(sounds) != 1:
            raise Unusable("broken", "The file has no sound that can be read.")
        return sounds
    if not films:
        text = "The file has no picture. Send a recording of sound alone as WAV or MP3."
        raise Unusable("type" if sounds else "broken", text)
    return [films[0], *sounds[:1]]


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _check_codecs(streams: list[Any], found: str) -> None:
    for stream in streams:
        name = stream.codec_context.name if stream.codec_context is not None else "an unknown codec"
        if name not in CODECS[found]:
            raise Unusable("codec", f"{name} is not taken in a {found.upper()} file.")


# ── Sound


def _sound(copied: Any, found: str, notes: list[str]) -> Findings:
    """Every frame is decoded: HeyGen renders what is heard, and it is what the customer pays for."""
    seconds = Fraction(0)
    for part in _heard(copied, copied.streams.audio[0]):
        seconds += part
        if seconds > LONGEST_SECONDS:
            raise Unusable("length", f"The recording is longer than {LONGEST_SECONDS} seconds.")
    if seconds < SHORTEST_SECONDS:
        raise Unusable("length", "The recording is empty, or too short to be heard.")
    return Findings("audio", TYPES[found], found, milliseconds=_milliseconds(seconds), notes=notes)


def _heard(copied: Any, stream: Any) -> Iterator[Fraction]:
    for packet in copied.demux(stream):
        try:
            frames = packet.decode()
        except FFmpegError:
            # Players go on behind a damaged frame, so it counts as long as it says.
            yield Fraction(packet.duration or 0) * packet.time_base
            continue
        for frame in frames:
            yield Fraction(frame.samples, frame.sample_rate)


# ── Film


def _film(copied: Any, found: str, notes: list[str]) -> Findings:
    stream = copied.streams.video[0]
    width, height = _sides_of(copied, stream)
    copied.seek(0)
    count, first, last = 0, None, Fraction(0)
    for packet in copied.demux(stream):
        if packet.pts is None:
            continue
        count += 1
        begins, ends = packet.pts * packet.time_base, (packet.pts + (packet.duration or 0)) * packet.time_base
        first, last = begins if first is None else min(first, begins), max(last, ends)
        if last - first > LONGEST_SECONDS:
            raise Unusable("length", f"The video is longer than {LONGEST_SECONDS} seconds.")
    seconds = last - first if first is not None else Fraction(0)
    if seconds < SHORTEST_SECONDS or count > seconds * MOST_FRAMES_A_SECOND:
        raise Unusable("length", "The times of the pictures make no sense.")
    return Findings("video", TYPES[found], found, width, height, _milliseconds(seconds), notes)


def _sides_of(copied: Any, stream: Any) -> tuple[int, int]:
    """Of the first picture, decoded: what the header says is not believed."""
    least, most = SIDES
    if not (least <= stream.width <= most and least <= stream.height <= most):
        raise Unusable("size", f"Each side of the picture must have {least} to {most} pixels.")
    for frame in copied.decode(stream):
        if (frame.width, frame.height) == (stream.width, stream.height):
            return frame.width, frame.height
        break
    raise Unusable("broken", DAMAGED)


def _milliseconds(seconds: Fraction) -> int:
    return round(seconds * 1000)
