"""A pen that draws in units on a supersampled, transparent sheet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from genvid.sandbox.renderer.geometry import UNITS, Colour, Ink, Point

SUPERSAMPLING = 3
BLUR_DETAIL = 6  # pixels of blur radius kept: a wider blur is worked out on a smaller sheet

Image_ = Image.Image
Box = tuple[int, int, int, int]


class Blob(NamedTuple):
    x: float
    y: float
    radius_x: float
    radius_y: float


class Pen:
    """Draws on a sheet of `width` x `height` units at `scale` pixels per unit."""

    def __init__(self, scale: float, width: float = UNITS, height: float = UNITS) -> None:
        self._scale = scale * SUPERSAMPLING
        self._final = (round(width * scale), round(height * scale))
        sheet = (round(width * self._scale), round(height * self._scale))
        self._show(Image.new("RGBA", sheet, (0, 0, 0, 0)))

    def finish(self) -> Image_:
        return self._image.resize(self._final, Image.Resampling.BOX)

    def polygon(self, points: Sequence[Point], ink: Ink) -> None:
        self._draw.polygon(self._pixels(points), fill=ink)

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float, ink: Ink) -> None:
        corners = [(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)]
        self._draw.ellipse(self._pixels(corners), fill=ink)

    def dot(self, x: float, y: float, radius: float, ink: Ink) -> None:
        self.ellipse(x, y, radius, radius, ink)

    def stroke(self, points: Sequence[Point], ink: Ink, width: float) -> None:
        self._draw.line(self._pixels(points), fill=ink, width=max(1, round(width * self._scale)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.dot(x, y, width / 2, ink)

    def panel(
        self, box: tuple[float, float, float, float], radius: float, ink: Ink, edge: Ink | None = None, width: float = 0
    ) -> None:
        """A rectangle with round corners, with or without an edge."""
        corners, thickness = [side * self._scale for side in box], round(width * self._scale)
        self._draw.rounded_rectangle(corners, radius * self._scale, fill=ink, outline=edge, width=thickness)

    def ring(self, outer: Sequence[Point], inner: Sequence[Point], ink: Ink) -> None:
        mask = self._mask(outer)
        ImageDraw.Draw(mask).polygon(self._pixels(inner), fill=0)
        self._image.paste(ink, (0, 0), mask)

    def glow(self, blob: Blob, colour: Colour, *, blur: float, strength: float, inside: Sequence[Point] = ()) -> None:
        """Tints the drawing with a blurred blob; transparent parts stay so."""
        box = self._reach(blob, blur * 3)
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        light = self._blurred(blob, blur, box).point(lambda level: int(level * strength))
        if inside:
            light = ImageChops.multiply(light, self._mask(inside).crop(box))
        tinted = Image.new("RGBA", light.size, colour)
        tinted.putalpha(self._image.crop(box).getchannel("A"))
        self._image.paste(tinted, box, light)

    @contextmanager
    def clipped(self, outline: Sequence[Point]) -> Iterator["Pen"]:
        inner = Pen.__new__(Pen)
        inner._scale, inner._final = self._scale, self._final
        inner._show(self._image.copy())
        yield inner
        self._image.paste(inner._image, (0, 0), self._mask(outline))

    def _show(self, image: Image_) -> None:
        self._image = image
        self._draw = ImageDraw.Draw(image)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def _mask(self, outline: Sequence[Point]) -> Image_:
        mask = Image.new("L", self._image.size, 0)
        ImageDraw.Draw(mask).polygon(self._pixels(outline), fill=255)
        return mask

    def _reach(self, blob: Blob, margin: float) -> Box:
        width, height = self._image.size
        return (
            max(0, int((blob.x - blob.radius_x - margin) * self._scale)),
            max(0, int((blob.y - blob.radius_y - margin) * self._scale)),
            min(width, int((blob.x + blob.radius_x + margin) * self._scale) + 1),
            min(height, int((blob.y + blob.radius_y + margin) * self._scale) + 1),
        )

    def _blurred(self, blob: Blob, blur: float, box: Box) -> Image_:
        size = (box[2] - box[0], box[3] - box[1])
        shrink = max(1.0, blur * self._scale / BLUR_DETAIL)
        small = Image.new("L", (max(1, round(size[0] / shrink)), max(1, round(size[1] / shrink))), 0)
        factor = self._scale / shrink
        left, top = blob.x * factor - box[0] / shrink, blob.y * factor - box[1] / shrink
        reach_x, reach_y = blob.radius_x * factor, blob.radius_y * factor
        ImageDraw.Draw(small).ellipse([left - reach_x, top - reach_y, left + reach_x, top + reach_y], fill=255)
        softened = small.filter(ImageFilter.GaussianBlur(blur * factor))
        return softened.resize(size, Image.Resampling.BILINEAR)
