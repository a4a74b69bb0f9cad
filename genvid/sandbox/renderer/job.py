"""What a render is asked for, and what it hands back."""

from dataclasses import dataclass
from pathlib import Path


class UnreadableMedia(ValueError):
    """A picture or a recording handed in with the job could not be decoded."""


@dataclass(frozen=True)
class Background:
    """What stands behind the presenter: a picture if there is one, else a `#rrggbb` colour."""

    color: str | None = None
    image: Path | None = None


@dataclass(frozen=True)
class RenderJob:
    """A video to make. Sizes in pixels; `speed` and `volume` are factors, `pitch` is in semitones.

    `audio` replaces the voice by a recording, `image` replaces the presenter by a still picture.
    """

    script: str
    persona: str
    voice: str
    width: int
    height: int
    fps: int = 25
    background: Background | None = None
    burn_captions: bool = False
    speed: float = 1.0
    pitch: float = 0.0
    volume: float = 1.0
    audio: Path | None = None
    image: Path | None = None
    watermark: str = ""


@dataclass(frozen=True)
class Rendered:
    """The files of a finished video, and its length in seconds."""

    video: Path
    captioned_video: Path | None
    subtitles: Path
    thumbnail: Path
    gif: Path
    duration: float


@dataclass(frozen=True)
class Outputs:
    """Where each file of a render goes."""

    folder: Path

    @property
    def video(self) -> Path:
        return self.folder / "video.mp4"

    @property
    def captioned(self) -> Path:
        return self.folder / "captioned.mp4"

    @property
    def subtitles(self) -> Path:
        return self.folder / "subtitles.srt"

    @property
    def thumbnail(self) -> Path:
        return self.folder / "thumbnail.jpg"

    @property
    def gif(self) -> Path:
        return self.folder / "preview.gif"

    def rendered(self, duration: float, *, captioned: bool) -> Rendered:
        return Rendered(
            video=self.video,
            captioned_video=self.captioned if captioned else None,
            subtitles=self.subtitles,
            thumbnail=self.thumbnail,
            gif=self.gif,
            duration=duration,
        )


def even(size: float) -> int:
    """The nearest even number of pixels: chroma planes are half as wide."""
    return max(2, round(size / 2) * 2)
