"""The moving parts of a face, each drawn on a small sheet of its own."""

from math import cos, pi, sin
from typing import NamedTuple

from genvid.sandbox.renderer.face import EYE_AWAY
from genvid.sandbox.renderer.geometry import SIDES, WHITE, Ink, Point, closed_curve, mix, open_curve
from genvid.sandbox.renderer.mouth import MouthShape
from genvid.sandbox.renderer.palette import Palette
from genvid.sandbox.renderer.pen import Blob, Image_, Pen

EYES_ORIGIN: Point = (320, 270)  # where the sheet's corner lies on the bust, in units
MOUTH_ORIGIN: Point = (400, 474)

LID_SHUT = 4  # lids move in quarters
EYE_HEIGHT = 27  # half of it, in units
_EYES_MIDDLE = (180, 115)
_MOUTH_MIDDLE = (100, 66)

PUPIL: Ink = (16, 12, 14)
EYE_WHITE: Ink = (252, 252, 255)
LASH_TIP: Ink = (28, 16, 16)
INSIDE_MOUTH: Ink = (92, 22, 34)
TONGUE: Ink = (214, 92, 100)
UPPER_TEETH: Ink = (250, 248, 244)
LOWER_TEETH: Ink = (240, 237, 232)


class EyePose(NamedTuple):
    """Lid 0 (open) to 4 (shut), gaze and brow raise in units."""

    lid: int
    gaze_x: int
    gaze_y: int
    brow: int


def draw_eyes(palette: Palette, pose: EyePose, scale: float) -> Image_:
    pen = Pen(scale, 360, 190)
    for side in SIDES:
        x = _EYES_MIDDLE[0] + side * EYE_AWAY
        _eye(pen, palette, pose, x, side)
        _brow(pen, palette, pose.brow, x, side)
    return pen.finish()


def draw_mouth(palette: Palette, shape: MouthShape, smile: float, scale: float) -> Image_:
    pen = Pen(scale, 200, 170)
    half_width = shape.half_width * (1 - 0.045 * shape.roundness)
    if shape.opening <= 2:
        _closed_mouth(pen, palette, half_width, smile)
    else:
        _open_mouth(pen, palette, shape, half_width, smile)
    return pen.finish()


def _eye(pen: Pen, palette: Palette, pose: EyePose, x: float, side: int) -> None:
    y = _EYES_MIDDLE[1]
    lid_y = y + 12.0
    if pose.lid < LID_SHUT:
        outline = _eye_outline(x, y)
        pen.polygon(outline, EYE_WHITE)
        with pen.clipped(outline) as inside:
            _iris(inside, palette, x + pose.gaze_x, y + pose.gaze_y - 1)
            shadow = Blob(x, y - 28, 40, 12)
            inside.glow(shadow, (150, 120, 130), blur=5, strength=0.35)
        lid_y = y - EYE_HEIGHT + pose.lid / LID_SHUT * (2 * EYE_HEIGHT - 6)
        if pose.lid:
            pen.polygon(_lid(x, y, lid_y), mix(palette.skin, palette.skin_shade, 0.35))
    _lashes(pen, palette, x, lid_y, side, slant=6 if pose.lid <= 2 else 0)


def _eye_outline(x: float, y: float) -> list[Point]:
    top, bottom = y - EYE_HEIGHT, y + EYE_HEIGHT
    return closed_curve(
        [
            *((x - 36, y + 2), (x - 18, top + 4), (x + 4, top), (x + 24, top + 8), (x + 36, y + 2)),
            *((x + 20, bottom - 8), (x, bottom - 4), (x - 20, bottom - 8)),
        ]
    )


def _iris(pen: Pen, palette: Palette, x: float, y: float) -> None:
    pen.dot(x, y, 19, palette.iris)
    pen.dot(x, y, 10, PUPIL)
    pen.dot(x + 7, y - 8, 5.5, WHITE)
    pen.dot(x - 6, y + 7, 3, mix(palette.iris, WHITE, 0.66))


def _lid(x: float, y: float, lid_y: float) -> list[Point]:
    return closed_curve(
        [
            *((x - 40, y + 2), (x - 30, y - 34), (x, y - 40), (x + 30, y - 34), (x + 40, y + 2)),
            *((x + 22, lid_y + 4), (x, lid_y), (x - 22, lid_y + 4)),
        ]
    )


def _lashes(pen: Pen, palette: Palette, x: float, lid_y: float, side: int, slant: float) -> None:
    y = _EYES_MIDDLE[1]
    long_lashes = palette.persona.lashes
    line = [
        (x - 38, y + 3),
        (x - 20, lid_y + slant),
        (x + 2, lid_y),
        (x + 24, lid_y + slant),
        (x + 38, y + 3),
    ]
    pen.stroke(open_curve(line), palette.lash, 7 if long_lashes else 5.5)
    if long_lashes:
        pen.stroke([(x + side * 34, y - 1), (x + side * 47, y - 11)], LASH_TIP, 5)


def _brow(pen: Pen, palette: Palette, raised: float, x: float, side: int) -> None:
    line = [(x - side * 38, 64 - raised), (x + side * 4, 50 - raised), (x + side * 44, 62 - raised * 0.7)]
    pen.stroke(open_curve(line), palette.brow, 8.5 if palette.persona.lashes else 11)


def _closed_mouth(pen: Pen, palette: Palette, half: float, smile: float) -> None:
    x, y = _MOUTH_MIDDLE
    lips = [
        *((x - half, y - smile), (x - half * 0.4, y - 7), (x, y - 4), (x + half * 0.4, y - 7)),
        *((x + half, y - smile), (x + half * 0.5, y + 10 + smile * 0.3), (x, y + 14 + smile * 0.4)),
        (x - half * 0.5, y + 10 + smile * 0.3),
    ]
    seam = [
        *((x - half, y - smile), (x - half * 0.5, y + 1), (x, y + 3 + smile * 0.25)),
        *((x + half * 0.5, y + 1), (x + half, y - smile)),
    ]
    pen.polygon(closed_curve(lips), palette.lip)
    pen.stroke(open_curve(seam), palette.lip_line, 5)


def _open_mouth(pen: Pen, palette: Palette, shape: MouthShape, half: float, smile: float) -> None:
    above, below = shape.opening * 0.30, shape.opening * 0.78
    outline = _round_lips if shape.roundness >= 4 else _wide_lips
    pen.polygon(outline(half, above, below, smile, 8), palette.lip)
    inner = outline(half, above, below, smile, 0)
    pen.polygon(inner, INSIDE_MOUTH)
    with pen.clipped(inner) as inside:
        _tongue_and_teeth(inside, shape, half, above, below)


def _wide_lips(half: float, above: float, below: float, smile: float, lip: float) -> list[Point]:
    x, y = _MOUTH_MIDDLE
    top, bottom = y - above - lip * 0.8, y + below * 0.78 + lip
    return closed_curve(
        [
            *((x - half - lip, y - smile * 0.6), (x - half * 0.55, top), (x, y - above * 0.86 - lip * 0.62)),
            *((x + half * 0.55, top), (x + half + lip, y - smile * 0.6)),
            *((x + half * 0.62, bottom), (x, y + below + lip * 1.25), (x - half * 0.62, bottom)),
        ]
    )


def _round_lips(half: float, above: float, below: float, smile: float, lip: float) -> list[Point]:
    x, y = _MOUTH_MIDDLE
    middle, radius = y + (below - above) / 2, (above + below) / 2 + lip
    turns = (step / 20 * pi for step in range(40))
    return [(x + (half + lip) * cos(turn), middle + radius * sin(turn)) for turn in turns]


def _tongue_and_teeth(pen: Pen, shape: MouthShape, half: float, above: float, below: float) -> None:
    x, y = _MOUTH_MIDDLE
    pen.ellipse(x, y + below + 6, half * 0.72, max(8, shape.opening * 0.42), TONGUE)
    if shape.teeth >= 1:
        edge = y - above * 0.8 + 6 + min(10, shape.opening * 0.22)
        pen.panel((x - half * 0.86, y - above - 10, x + half * 0.86, edge), 7, UPPER_TEETH)
    if shape.teeth >= 2:
        pen.panel((x - half * 0.7, y + below - 6, x + half * 0.7, y + below + 16), 6, LOWER_TEETH)
