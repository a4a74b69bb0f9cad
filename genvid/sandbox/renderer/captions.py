"""Burnt-in captions: the current cue on a dark plate, the spoken word in the presenter's accent colour."""

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from genvid.sandbox.renderer.geometry import WHITE, Colour
from genvid.sandbox.renderer.lettering import Font, font, plate
from genvid.sandbox.renderer.subtitle_cues import Cue, cues_of, joined
from genvid.sandbox.renderer.timeline import Word

PLATE = (12, 14, 32, 196)
UPCOMING: Colour = (214, 218, 232)
CHARACTER_WIDTH = 0.56  # of the font size, on average
EARLY = 0.12  # seconds a cue appears before its first word
LATE = 0.5  # and stays after its last
LINE_HEIGHT = 1.34  # of the font size
PADDING = 0.62


class Captions:
    """Sizes are in pixels, moments in seconds."""

    def __init__(self, words: Sequence[Word], width: int, height: int, accent: Colour) -> None:
        landscape = width > height
        self._size = (width, height)
        self._accent = accent
        self._pixels = round(min(width, height) * (0.05 if width >= height else 0.056))
        self._widest = width * (0.74 if landscape else 0.86)
        self._bottom = round(height * (0.955 if landscape else 0.93))
        self._cues = cues_of(words, int(self._widest / (self._pixels * CHARACTER_WIDTH)))
        self._sprite = lru_cache(48)(self._draw)

    def over(self, picture: Image.Image, moment: float) -> Image.Image:
        captioned = picture.copy()
        index = self._cue_at(moment)
        if index is not None:
            cue = self._cues[index]
            spoken = sum(word.start <= moment + 0.03 for word in cue.words) - 1
            sprite = self._sprite(index, max(0, spoken))
            left = (self._size[0] - sprite.width) // 2
            captioned.paste(sprite, (left, self._bottom - sprite.height), sprite)
        return captioned

    def _cue_at(self, moment: float) -> int | None:
        begun = [index for index, cue in enumerate(self._cues) if cue.start - EARLY <= moment]
        if not begun or moment > self._cues[begun[-1]].end + LATE:
            return None
        return begun[-1]

    def _draw(self, index: int, spoken: int) -> Image.Image:
        cue = self._cues[index]
        face = self._fitting_font(cue)
        widths = [face.getlength(joined(line)) for line in cue.lines]
        line_height, padding = round(face.size * LINE_HEIGHT), round(face.size * PADDING)
        width = round(max(widths)) + 2 * padding
        sprite = plate(width, line_height * len(cue.lines) + round(padding * 0.9), face.size * 0.55, PLATE)
        draw = ImageDraw.Draw(sprite)
        position = 0
        for row, line in enumerate(cue.lines):
            x = (width - widths[row]) / 2
            y = padding * 0.45 + row * line_height + (line_height - face.size) * 0.28
            for word in line:
                draw.text((x, y), word.text, font=face, fill=self._ink(position, spoken))
                x += face.getlength(f"{word.text} ")
                position += 1
        return sprite

    def _fitting_font(self, cue: Cue) -> Font:
        face = font("Bold", self._pixels)
        widest = max(face.getlength(joined(line)) for line in cue.lines)
        if widest <= self._widest:
            return face
        return font("Bold", max(8, int(self._pixels * self._widest / widest)))

    def _ink(self, position: int, spoken: int) -> Colour:
        if position == spoken:
            return self._accent
        return WHITE if position < spoken else UPCOMING
