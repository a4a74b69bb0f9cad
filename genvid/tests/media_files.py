"""Small pictures, recordings and films, made in memory."""

import io
import math
import struct
import wave
from typing import Any

import av
import numpy as np
from PIL import Image

RATE = 24_000


def picture(kind: str = "PNG", size: tuple[int, int] = (320, 200), mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.effect_noise(size, 50).convert(mode)
    if "A" in mode:
        image.putalpha(128)
    image.save(file, kind, **options)
    return file.getvalue()


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 20))) for i in range(int(seconds * RATE))))
    return file.getvalue()


def mp3(frames: int = 50) -> bytes:
    """`frames` times 1,152 samples at 44.1 kHz."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream: Any = out.add_stream("libmp3lame", rate=44_100)
        stream.layout = "mono"
        for number in range(frames):
            wave_form = (np.sin(np.arange(1152) / 10) * 8000).astype("int16").reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(wave_form, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44_100, number * 1152
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def film(container: str = "mp4", frames: int = 25, size: tuple[int, int] = (160, 120), **options: Any) -> bytes:
    """25 frames a second, without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as out:
        stream: Any = out.add_stream("libx264" if container == "mp4" else "libvpx", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            shade = np.full((size[1], size[0], 3), number * 5 % 255, "uint8")
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()
