"""Fonts, and rounded plates behind text."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import font_manrope
from PIL import Image, ImageDraw, ImageFont

from genvid.sandbox.renderer.geometry import Ink

PLATE_SUPERSAMPLING = 3

Weight = Literal["Medium", "Bold", "ExtraBold"]
Font = ImageFont.FreeTypeFont


@lru_cache(32)
def font(weight: Weight, pixels: int) -> Font:
    folder = Path(font_manrope.__file__).parent / "files"
    return ImageFont.truetype(str(folder / f"Manrope-{weight}.ttf"), pixels)


def plate(width: int, height: int, radius: float, ink: Ink) -> Image.Image:
    sheet = (width * PLATE_SUPERSAMPLING, height * PLATE_SUPERSAMPLING)
    drawing = Image.new("RGBA", sheet, (0, 0, 0, 0))
    corner = (0, 0, sheet[0] - 1, sheet[1] - 1)
    ImageDraw.Draw(drawing).rounded_rectangle(corner, radius * PLATE_SUPERSAMPLING, fill=ink)
    return drawing.resize((width, height), Image.Resampling.BOX)
