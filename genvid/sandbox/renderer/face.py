"""The still parts of a head: skin, nose, ears, facial hair, glasses and earrings."""

from genvid.sandbox.renderer.geometry import (
    AXIS,
    SIDES,
    WHITE,
    Ink,
    Point,
    closed_curve,
    mirrored,
    mix,
    open_curve,
    rgb,
)
from genvid.sandbox.renderer.palette import Palette
from genvid.sandbox.renderer.pen import Blob, Pen

EYE_AWAY = 76  # units from the axis to the middle of an eye
GOLD = rgb("#fcd34d")
GLASSES_RIM = rgb("#2b2f3a")
LENS: Ink = (*WHITE, 26)
GLINT: Ink = (*WHITE, 150)

EARS_COVERED = frozenset({"hijab", "bob", "long"})

_FACE = [
    *((0, 182), (82, 190), (140, 232), (163, 310), (166, 390)),
    *((157, 462), (132, 532), (92, 586), (46, 615), (0, 622)),
]
_BEARD_EDGE = [(150, 400), (128, 466), (84, 492), (40, 484), (0, 490)]
_BEARD_JAW = [(166, 392), (158, 470), (134, 540), (92, 594), (46, 624), (0, 631)]
_MOUSTACHE = [(0, 496), (36, 488), (74, 500), (98, 530), (54, 524), (0, 516)]


def draw_head(pen: Pen, palette: Palette) -> None:
    face = closed_curve(mirrored(_FACE))
    if palette.persona.hair_style not in EARS_COVERED:
        _ears(pen, palette)
    pen.polygon(face, palette.skin)
    _shading(pen, palette, face)
    if palette.persona.facial_hair == "beard":
        _beard(pen, palette)
    _nose(pen, palette, face)


def draw_over_face(pen: Pen, palette: Palette) -> None:
    persona = palette.persona
    if persona.facial_hair == "moustache":
        pen.polygon(closed_curve(mirrored(_MOUSTACHE)), mix(palette.hair, palette.skin, 0.12))
    if persona.earrings and persona.hair_style == "bob":
        _earrings(pen, away=158, y=520)
    if persona.glasses:
        _glasses(pen)


def _ears(pen: Pen, palette: Palette) -> None:
    for side in SIDES:
        pen.ellipse(AXIS + side * 168, 408, 27, 45, palette.skin)
        pen.ellipse(AXIS + side * 172, 410, 13, 27, palette.skin_shade)
    if palette.persona.earrings:
        _earrings(pen, away=174, y=466)


def _earrings(pen: Pen, *, away: float, y: float) -> None:
    for side in SIDES:
        pen.dot(AXIS + side * away, y, 9, GOLD)


def _shading(pen: Pen, palette: Palette, face: list[Point]) -> None:
    pen.glow(Blob(690, 420, 110, 300), palette.skin_shade, blur=34, strength=0.62, inside=face)
    pen.glow(Blob(500, 650, 150, 46), palette.skin_shade, blur=20, strength=0.45, inside=face)
    for side in SIDES:
        cheek = Blob(AXIS + side * 96, 474, 44, 28)
        pen.glow(cheek, palette.blush, blur=14, strength=0.34, inside=face)
    pen.glow(Blob(440, 270, 80, 46), palette.skin_light, blur=26, strength=0.35, inside=face)


def _nose(pen: Pen, palette: Palette, face: list[Point]) -> None:
    pen.stroke(open_curve([(508, 402), (523, 450), (512, 470), (489, 472)]), palette.skin_shade, 7)
    pen.glow(Blob(486, 440, 10, 34), palette.skin_light, blur=6, strength=0.35, inside=face)


def _beard(pen: Pen, palette: Palette) -> None:
    left_edge = [(AXIS - away, y) for away, y in _BEARD_EDGE]
    right_edge = [(AXIS + away, y) for away, y in reversed(_BEARD_EDGE[:-1])]
    right_jaw = [(AXIS + away, y) for away, y in _BEARD_JAW]
    left_jaw = [(AXIS - away, y) for away, y in reversed(_BEARD_JAW[:-1])]
    outline = [*left_jaw[-1:], *left_edge, *right_edge, *right_jaw, *left_jaw[:-1]]
    pen.polygon(closed_curve(outline), mix(palette.hair, palette.skin, 0.12))
    pen.ellipse(AXIS, 541, 64, 34, mix(palette.skin, palette.skin_deep, 0.15))


def _glasses(pen: Pen) -> None:
    for side in SIDES:
        middle = AXIS + side * EYE_AWAY
        pen.panel((middle - 56, 344, middle + 56, 428), 34, LENS, GLASSES_RIM, 8)
        pen.stroke([(AXIS + side * 132, 376), (AXIS + side * 166, 368)], GLASSES_RIM, 7)
        pen.stroke([(middle - 30, 366), (middle - 8, 356)], GLINT, 5)
    pen.stroke(open_curve([(480, 382), (500, 372), (520, 382)]), GLASSES_RIM, 7)
