"""The thumbnail and the moving preview, picked from the frames as they go by."""

from pathlib import Path

from PIL import Image

from genvid.sandbox.renderer.timeline import Speech

PREVIEW_FPS = 8
PREVIEW_FRAMES = 24
PREVIEW_LONG_SIDE = 320  # pixels
PREVIEW_COLOURS = 128
THUMBNAIL_AFTER = 0.25  # seconds into the first word, when the mouth is open


class Highlights:
    def __init__(self, speech: Speech, fps: int) -> None:
        first = speech.words[0].start if speech.words else 0.0
        self._best_frame = round((first + THUMBNAIL_AFTER) * fps)
        self._step = max(1, round(fps / PREVIEW_FPS))
        self._milliseconds = round(1000 * self._step / fps)
        self._thumbnail: Image.Image | None = None
        self._preview: list[Image.Image] = []

    def see(self, frame: int, picture: Image.Image) -> None:
        if frame <= self._best_frame:
            self._thumbnail = picture
        if frame % self._step == 0 and len(self._preview) < PREVIEW_FRAMES:
            self._preview.append(_reduced(picture))

    def save(self, thumbnail: Path, gif: Path) -> None:
        if self._thumbnail is None:
            raise ValueError("No frame was seen.")
        self._thumbnail.save(thumbnail, quality=86, optimize=True)
        palette = self._preview[0].quantize(PREVIEW_COLOURS)
        first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in self._preview)
        first.save(gif, save_all=True, append_images=others, duration=self._milliseconds, loop=0)


def _reduced(picture: Image.Image) -> Image.Image:
    factor = PREVIEW_LONG_SIDE / max(picture.size)
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
