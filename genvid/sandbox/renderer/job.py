"""The input of a render, and the files that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genvid.sandbox.renderer.subtitle_cues import Cue


class UnreadableMedia(ValueError):
    """A picture or a recording handed in with the job could not be decoded."""


@dataclass(frozen=True)
class RenderJob:
    """A video to make. Sizes in pixels; `speed` and `volume` are factors, `pitch` is in semitones.

    Behind the presenter is the picture `backdrop`, else the `#rrggbb` `color`, else the persona's own set. `audio`
    replaces the voice by a recording, `image` replaces the presenter by a still picture.
    """

    script: str
    persona: str
    voice: str
    width: int
    height: int
    fps: int = 25
    color: str | None = None
    backdrop: Path | None = None
    burn_captions: bool = False
    speed: float = 1.0
    pitch: float = 0.0
    volume: float = 1.0
    audio: Path | None = None
    image: Path | None = None
    watermark: str = ""


class Rendered:
    def __init__(self, folder: Path, duration: float, cues: Sequence[Cue], *, captioned: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.duration, self.cues = duration, cues
        self.video = folder / "video.mp4"
        self.captioned_video = folder / "captioned.mp4" if captioned else None
        self.subtitles = folder / "subtitles.srt"
        self.thumbnail = folder / "thumbnail.jpg"
        self.gif = folder / "preview.gif"


def even(size: float) -> int:
    """The nearest even number of pixels: chroma planes are half as wide."""
    return max(2, round(size / 2) * 2)
