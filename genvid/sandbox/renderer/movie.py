"""Writes an H.264 and AAC file frame by frame, in a thread of its own."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Self, TypeAlias

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from PIL import Image

from genvid.sandbox.renderer.timeline import Samples

SOUND_RATE = 48_000
SOUND_BITS = 128_000  # a second
QUEUE_LENGTH = 8
BT709 = 1

SoundPacket: TypeAlias = "av.Packet[av.AudioStream]"

# faststart: the index goes before the frames, so that a browser plays while it loads.
FASTSTART = {"movflags": "+faststart"}
AAC = {"aac_coder": "fast"}
X264 = {"preset": "veryfast", "crf": "21", "tune": "animation", "profile": "high"}


class Movie:
    """Pictures of any size are scaled to the movie's own, given in pixels."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: int,
        *,
        options: Mapping[str, str] = X264,
        sound_rate: int = SOUND_RATE,
    ) -> None:
        self._container = av.open(str(path), "w", options=FASTSTART)
        self._container.metadata["title"] = "Sandbox render"
        self._fps = fps
        self._video = self._open_video(width, height, options)
        self._sound = self._container.add_stream("aac", rate=sound_rate)
        self._sound.bit_rate = SOUND_BITS
        self._sound.options = dict(AAC)
        self._sound.codec_context.layout = "mono"
        self._waiting_sound: list[SoundPacket] = []
        self._scaler = VideoReformatter()  # one for the whole film: setting up its filter is slow
        self._shown = 0
        self._pictures: Queue[Image.Image | None] = Queue(QUEUE_LENGTH)
        self._failure: Exception | None = None
        self._thread = Thread(target=self._encode_pictures, name="movie-encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pictures.put(None)
        self._thread.join()
        try:
            if error is None:
                self._raise_failure()
                self._finish()
        finally:
            self._container.close()

    def add_sound(self, samples: Samples, rate: int) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None, :], "flt", "mono")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler("fltp", "mono", self._sound.rate)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            self._waiting_sound += self._sound.encode(resampled)
        self._waiting_sound += self._sound.encode(None)

    def show(self, picture: Image.Image) -> None:
        """Queues the next frame. The picture must not be drawn on afterwards."""
        self._raise_failure()
        self._pictures.put(picture)

    def _open_video(self, width: int, height: int, options: Mapping[str, str]) -> "av.VideoStream":
        video = self._container.add_stream("libx264", rate=self._fps)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = dict(options)
        context = video.codec_context
        context.thread_count = 2
        context.gop_size = self._fps * 2
        context.colorspace = context.color_primaries = context.color_trc = BT709
        return video

    def _encode_pictures(self) -> None:
        while (picture := self._pictures.get()) is not None:
            if self._failure is None:
                self._encode(picture)

    def _encode(self, picture: Image.Image) -> None:
        try:
            frame = self._scaler.reformat(
                av.VideoFrame.from_ndarray(np.asarray(picture), "rgb24"),
                self._video.width,
                self._video.height,
                "yuv420p",
                dst_colorspace=Colorspace.ITU709,
                interpolation="BICUBIC",
            )
            frame.pts, frame.time_base = self._shown, Fraction(1, self._fps)
            self._mux_sound_until(self._shown / self._fps)
            self._shown += 1
            self._container.mux(self._video.encode(frame))
        except Exception as error:  # noqa: BLE001 - handed to the drawing thread, which raises it
            self._failure = error

    def _mux_sound_until(self, moment: float) -> None:
        while self._waiting_sound and _moment_of(self._waiting_sound[0]) <= moment:
            self._container.mux(self._waiting_sound.pop(0))

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        for packet in self._waiting_sound:
            self._container.mux(packet)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _moment_of(packet: SoundPacket) -> float:
    return float((packet.pts or 0) * packet.time_base)
