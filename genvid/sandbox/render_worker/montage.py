"""Several rendered scenes joined into one film, without encoding them again."""

from fractions import Fraction
from pathlib import Path

import av

from genvid.sandbox.renderer.job import Rendered
from genvid.sandbox.renderer.subtitle_cues import Cue, write_srt


def join(scenes: list[Rendered], folder: Path) -> Rendered:
    """Thumbnail and GIF are the first scene's."""
    cues: list[Cue] = []
    length = 0.0
    for scene in scenes:
        cues += [cue.delayed(length) for cue in scene.cues]
        length += scene.duration
    captioned = [scene.captioned_video for scene in scenes if scene.captioned_video]
    made = Rendered(folder, length, cues, captioned=len(captioned) == len(scenes))
    made.thumbnail, made.gif = scenes[0].thumbnail, scenes[0].gif
    _join_films([scene.video for scene in scenes], made.video)
    if made.captioned_video:
        _join_films(captioned, made.captioned_video)
    write_srt(cues, made.subtitles)
    return made


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
