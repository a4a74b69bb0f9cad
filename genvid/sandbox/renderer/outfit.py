"""Neck, shoulders and clothes."""

from collections.abc import Callable

from genvid.sandbox.renderer.geometry import (
    AXIS,
    BLACK,
    WHITE,
    Point,
    both_sides,
    closed_curve,
    mirrored,
    mix,
    open_curve,
    rgb,
)
from genvid.sandbox.renderer.palette import Palette
from genvid.sandbox.renderer.pen import Blob, Pen

_NECK = [
    *((438, 540), (562, 540), (566, 660), (600, 706), (560, 770), (500, 800)),
    *((440, 770), (400, 706), (434, 660)),
]
_TORSO = [(0, 742), (70, 716), (132, 706), (232, 740), (316, 792), (362, 890), (378, 1040), (0, 1060)]
_SLEEVE = [(268, 1010), (262, 930), (272, 880)]

_NECK_HIDDEN = [(392, 704), (430, 680), (570, 680), (608, 704), (576, 800), (500, 830), (424, 800)]

_LAPEL = [(96, 690), (128, 704), (190, 790), (150, 806), (186, 836), (6, 1000), (2, 930)]
_LAPEL_EDGE = [(128, 706), (190, 790), (150, 806), (186, 836), (6, 1000)]
_TIE_KNOT = [(472, 772), (528, 772), (516, 816), (484, 816)]
_TIE = [(484, 816), (516, 816), (522, 930), (500, 950), (478, 930)]
_HOOD = [(60, 652), (120, 672), (172, 716), (176, 780), (120, 836), (22, 872), (62, 800), (84, 730)]

_SCARF = [
    *((310, 600), (400, 670), (500, 690), (600, 670), (690, 600), (722, 700), (752, 800), (690, 880)),
    *((560, 930), (430, 900), (310, 850), (252, 790), (280, 700)),
]
_SCARF_FOLDS = (
    [(340, 690), (430, 790), (560, 850)],
    [(330, 760), (420, 850), (540, 900)],
    [(660, 690), (600, 770), (520, 820)],
)


def draw_body(pen: Pen, palette: Palette) -> None:
    torso = closed_curve(mirrored(_TORSO))
    neck = closed_curve(_NECK)
    pen.polygon(torso, palette.coat)
    pen.polygon(neck, palette.skin)
    pen.glow(Blob(500, 598, 120, 62), palette.skin_deep, blur=10, strength=0.62, inside=neck)
    _OUTFITS[palette.persona.outfit](pen, palette)
    _shade_shoulders(pen, palette, torso)
    if palette.persona.hair_style == "hijab":
        _scarf(pen, palette)


def _shade_shoulders(pen: Pen, palette: Palette, torso: list[Point]) -> None:
    for sleeve in both_sides(_SLEEVE):
        pen.stroke(open_curve(sleeve), mix(palette.coat, BLACK, 0.28), 5)
    shadow = mix(palette.coat, BLACK, 0.55)
    pen.glow(Blob(150, 1000, 110, 210), shadow, blur=60, strength=0.30, inside=torso)
    pen.glow(Blob(840, 1000, 110, 210), shadow, blur=60, strength=0.18, inside=torso)


def _neckline(pen: Pen, palette: Palette, opening: list[Point]) -> None:
    pen.polygon(opening, palette.skin)
    pen.glow(Blob(500, 640, 110, 60), palette.skin_deep, blur=18, strength=0.38, inside=opening)


def _lapels(pen: Pen, palette: Palette) -> None:
    for lapel in both_sides(_LAPEL):
        pen.polygon(lapel, mix(palette.coat, WHITE, 0.12))
    for edge in both_sides(_LAPEL_EDGE):
        pen.stroke(edge, mix(palette.coat, BLACK, 0.3), 4)


def _blazer(pen: Pen, palette: Palette) -> None:
    pen.polygon([(408, 700), (500, 930), (592, 700), (566, 664), (434, 664)], palette.shirt)
    _neckline(pen, palette, [(428, 690), (434, 660), (566, 660), (572, 690), (500, 836)])
    pen.stroke([(426, 690), (500, 840), (574, 690)], palette.shirt_dark, 6)
    _lapels(pen, palette)


def _suit(pen: Pen, palette: Palette) -> None:
    pen.polygon([(404, 700), (500, 944), (596, 700), (566, 664), (434, 664)], palette.shirt)
    _neckline(pen, palette, [(430, 690), (434, 656), (566, 656), (570, 690), (500, 782)])
    tie = rgb("#9f1239")
    pen.polygon(_TIE, tie)
    pen.polygon(_TIE_KNOT, mix(tie, BLACK, 0.18))
    for collar in both_sides([(66, 664), (104, 692), (84, 796), (16, 772)]):
        pen.polygon(collar, WHITE)
        pen.stroke(collar[1:], palette.shirt_dark, 4)
    _lapels(pen, palette)


def _vneck(pen: Pen, palette: Palette) -> None:
    _neckline(pen, palette, [(404, 704), (434, 660), (566, 660), (596, 704), (500, 872)])
    pen.stroke([(400, 700), (500, 876), (600, 700)], palette.shirt_dark, 13)


def _shirt(pen: Pen, palette: Palette) -> None:
    pen.polygon([(432, 714), (500, 800), (568, 714)], palette.skin)
    for collar in both_sides([(62, 668), (120, 706), (92, 812), (0, 786)]):
        pen.polygon(collar, palette.shirt_light)
    pen.stroke([(AXIS, 790), (AXIS, 1010)], palette.shirt_dark, 5)
    for y in (850, 930):
        pen.dot(AXIS, y, 8, palette.shirt_light)


def _crew(pen: Pen, palette: Palette) -> None:
    collar = [(396, 708), (430, 764), (500, 796), (570, 764), (604, 708)]
    seam = [(400, 706), (436, 756), (500, 784), (564, 756), (600, 706)]
    pen.stroke(open_curve(collar), palette.shirt_dark, 22)
    pen.stroke(open_curve(seam), palette.shirt_light, 5)


def _turtleneck(pen: Pen, palette: Palette) -> None:
    roll = closed_curve(
        [(428, 640), (500, 660), (572, 640), (580, 700), (606, 744), (500, 772), (394, 744), (420, 700)]
    )
    pen.polygon(closed_curve(_NECK_HIDDEN), palette.shirt)
    pen.polygon(roll, palette.shirt_light)
    pen.glow(Blob(500, 640, 100, 34), palette.shirt_dark, blur=14, strength=0.8, inside=roll)
    pen.stroke(open_curve([(396, 746), (450, 772), (550, 772), (604, 746)]), palette.shirt_dark, 8)
    for x in (456, 500, 544):
        pen.stroke([(x, 682), (AXIS + (x - AXIS) * 1.2, 752)], palette.shirt_dark, 4)


def _hoodie(pen: Pen, palette: Palette) -> None:
    pen.polygon([(404, 704), (434, 664), (566, 664), (596, 704), (500, 880)], rgb("#f8fafc"))
    _neckline(pen, palette, closed_curve([(436, 656), (564, 656), (576, 716), (500, 766), (424, 716)]))
    for hood in both_sides(_HOOD):
        pen.polygon(closed_curve(hood), palette.shirt_light)
        pen.stroke(open_curve(hood[2:6]), palette.shirt_dark, 6)
    for cord in both_sides([(52, 858), (60, 904), (54, 950)]):
        pen.stroke(open_curve(cord), rgb("#f1f5f9"), 7)


def _scarf(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_SCARF), palette.hair)
    for fold in _SCARF_FOLDS:
        pen.stroke(open_curve(fold), mix(palette.hair, BLACK, 0.22), 6)
    pen.stroke(open_curve([(350, 660), (450, 745), (590, 790)]), mix(palette.hair, WHITE, 0.14), 5)


_OUTFITS: dict[str, Callable[[Pen, Palette], None]] = {
    "blazer": _blazer,
    "suit": _suit,
    "vneck": _vneck,
    "shirt": _shirt,
    "crew": _crew,
    "turtleneck": _turtleneck,
    "hoodie": _hoodie,
}
