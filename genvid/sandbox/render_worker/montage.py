"""Several rendered scenes joined into one film, without encoding them again."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from genvid.sandbox.renderer.job import Rendered

_STAMP = re.compile(r"(\d+):(\d\d):(\d\d),(\d{3})")


def join(scenes: list[Rendered], folder: Path) -> Rendered:
    """The film of the scenes in their order. Thumbnail and GIF are the first scene's."""
    captioned = None
    if all(scene.captioned_video for scene in scenes):
        captioned = folder / "captioned.mp4"
        _join_films([scene.captioned_video for scene in scenes if scene.captioned_video], captioned)
    video, subtitles = folder / "video.mp4", folder / "subtitles.srt"
    _join_films([scene.video for scene in scenes], video)
    subtitles.write_text(_join_subtitles(scenes), encoding="utf-8")
    length = sum(scene.duration for scene in scenes)
    return Rendered(video, captioned, subtitles, scenes[0].thumbnail, scenes[0].gif, length)


def _join_films(films: list[Path], target: Path) -> None:
    with av.open(str(target), "w", format="mp4") as out:
        with av.open(str(films[0])) as first:
            sources = (*first.streams.video, *first.streams.audio)
            streams = [out.add_stream_from_template(source) for source in sources]
        start = Fraction(0)
        for film in films:
            start = _append(film, out, streams, start)


def _append(
    film: Path, out: av.container.OutputContainer, streams: list[av.stream.Stream], start: Fraction
) -> Fraction:
    """Adds a film from that moment on and says when it ends."""
    with av.open(str(film)) as source:
        sources = [*source.streams.video, *source.streams.audio]
        packets = [packet for packet in source.demux(*sources) if packet.dts is not None]
        # Decoding starts before zero: by the encoder's priming, by frames out of order.
        start -= min(_moment(packet, packet.dts) for packet in packets)
        end = start
        for packet in packets:
            end = max(end, start + _moment(packet, (packet.pts or 0) + (packet.duration or 0)))
            shift = round(start / packet.time_base)
            packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
            packet.stream = streams[sources.index(packet.stream)]
            out.mux(packet)
        return end


def _moment(packet: "av.Packet[av.stream.Stream]", ticks: int | None) -> Fraction:
    return Fraction(ticks or 0) * Fraction(packet.time_base)


def _join_subtitles(scenes: list[Rendered]) -> str:
    cues: list[str] = []
    start = 0.0
    for scene in scenes:
        blocks = scene.subtitles.read_text(encoding="utf-8").strip().split("\n\n")
        for block in filter(None, blocks):
            timing = _STAMP.sub(_shifted(start), block.split("\n", 1)[1])
            cues.append(f"{len(cues) + 1}\n{timing}\n")
        start += scene.duration
    return "\n".join(cues)


def _shifted(start: float) -> Callable[[re.Match[str]], str]:
    def shift(stamp: re.Match[str]) -> str:
        hours, minutes, seconds, thousandths = (int(part) for part in stamp.groups())
        total = round(start * 1000) + ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
        minutes, rest = divmod(total, 60_000)
        return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"

    return shift
