"""The picture behind a presenter: the persona's own set, a colour, or a picture of the client's."""

from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from genvid.sandbox.renderer.geometry import WHITE, rgb
from genvid.sandbox.renderer.job import RenderJob, UnreadableMedia
from genvid.sandbox.renderer.lettering import font, plate
from genvid.sandbox.renderer.personas import PERSONAS, Persona

COARSENESS = 4  # soft light is worked out on every fourth pixel
RINGS = 7
MARK = "SANDBOX"

Pixels = NDArray[np.float64]

# Pools of light: middle and radius as shares of the picture, which backdrop colour, how strong.
LIGHTS = (
    (0.16, 0.22, 0.42, 2, 0.34),
    (0.88, 0.30, 0.36, 1, 0.55),
    (0.78, 0.95, 0.50, 0, 0.55),
    (0.50, 0.52, 0.40, 2, 0.42),
)


def draw_backdrop(job: RenderJob, size: tuple[int, int]) -> Image.Image:
    if job.backdrop:
        picture = open_covering(job.backdrop, size)
    elif job.color:
        picture = Image.new("RGB", size, rgb(job.color))
    else:
        picture = _own_set(PERSONAS[job.persona], size)
    stamp_mark(picture)
    return picture


def open_covering(path: Path, size: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableMedia(f"{path.name} is not a picture that can be decoded.") from error


def stamp_mark(picture: Image.Image) -> None:
    short = min(picture.size)
    margin, lettering = round(short * 0.045), font("Bold", round(short * 0.021))
    width = round(lettering.getlength(MARK) + margin * 0.8)
    left = picture.width - margin - width
    pill = plate(width, round(margin * 0.9), margin * 0.45, (0, 0, 0, 70))
    picture.paste(pill, (left, margin), pill)
    ImageDraw.Draw(picture).text((left + margin * 0.4, margin * 1.16), MARK, font=lettering, fill=WHITE)


def _own_set(persona: Persona, size: tuple[int, int]) -> Image.Image:
    picture = _gradient(persona, size)
    _rings(picture, Random(persona.key))
    _badge(picture, persona)
    return picture


def _gradient(persona: Persona, size: tuple[int, int]) -> Image.Image:
    width, height = (max(1, side // COARSENESS) for side in size)
    dark, middle, light = (np.array(rgb(code), np.float64) for code in persona.backdrop)
    y, x = np.mgrid[0:height, 0:width]
    slope = (0.45 * x / width + 0.55 * y / height)[..., None]
    pixels: Pixels = dark * (1 - slope) + middle * slope
    for centre_x, centre_y, radius, colour, strength in LIGHTS:
        reach = radius * min(width, height) * 1.25
        away = np.hypot(x - centre_x * width, y - centre_y * height) / reach
        pool = (np.clip(1 - away, 0, 1) ** 1.7 * strength)[..., None]
        pixels = pixels * (1 - pool) + (dark, middle, light)[colour] * pool
    small = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def _rings(picture: Image.Image, dice: Random) -> None:
    width, height = picture.width * 2, picture.height * 2
    sheet = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    draw = ImageDraw.Draw(sheet)
    for _ in range(RINGS):
        radius = dice.uniform(0.03, 0.11) * min(width, height)
        x, y = dice.uniform(0, width), dice.uniform(0, height * 0.65)
        ink, thickness = (*WHITE, dice.randint(14, 40)), max(2, int(radius * 0.05))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=ink, width=thickness)
    smooth = sheet.resize(picture.size, Image.Resampling.BOX)
    picture.paste(smooth, (0, 0), smooth)


def _badge(picture: Image.Image, persona: Persona) -> None:
    short = min(picture.size)
    margin, height = round(short * 0.045), round(short * 0.105)
    name, role = font("ExtraBold", round(short * 0.036)), font("Medium", round(short * 0.025))
    width = round(max(name.getlength(persona.name), role.getlength(persona.role)) + margin * 1.1)
    back = plate(width, height, height * 0.3, (*WHITE, 46))
    picture.paste(back, (margin, margin), back)
    draw, left = ImageDraw.Draw(picture), margin * 1.55
    draw.text((left, margin + height * 0.13), persona.name, font=name, fill=WHITE)
    draw.text((left, margin + height * 0.54), persona.role, font=role, fill=WHITE)
