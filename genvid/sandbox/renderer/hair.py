"""Hair, behind the head and in front of it."""

from collections.abc import Callable
from math import cos, pi, sin

from genvid.sandbox.renderer.geometry import (
    AXIS,
    BLACK,
    SIDES,
    Colour,
    both_sides,
    closed_curve,
    mirrored,
    mix,
    open_curve,
)
from genvid.sandbox.renderer.palette import Palette
from genvid.sandbox.renderer.pen import Pen

Drawing = Callable[[Pen, Palette], None]

_BOB_BACK = [(0, 128), (120, 142), (205, 240), (226, 400), (222, 540), (190, 640), (120, 668), (0, 672)]
_BOB_FRINGE = [
    *((338, 420), (322, 330), (340, 232), (404, 160), (500, 138), (596, 160), (660, 232), (678, 330)),
    *((662, 420), (650, 330), (618, 268), (560, 230), (470, 262), (400, 300), (356, 340)),
]
_BOB_SIDE = [(170, 300), (204, 420), (206, 560), (174, 640), (136, 628), (166, 540), (162, 420)]

_LONG_BACK = [*((0, 128), (118, 140), (200, 236), (222, 420), (236, 620), (262, 800), (236, 880), (150, 900), (0, 900))]
_LONG_PARTING = [
    *((500, 140), (596, 158), (664, 232), (684, 352), (690, 480), (666, 470), (650, 370), (604, 300)),
    *((540, 250), (500, 214), (462, 250), (396, 300), (350, 370), (334, 470), (310, 480), (316, 352)),
    *((336, 232), (404, 158)),
]
_LONG_SIDE = [*((178, 380), (200, 520), (214, 690), (228, 840), (170, 872), (148, 760), (172, 600), (168, 470))]

_SIDE_PARTED = [
    *((334, 392), (318, 300), (338, 206), (410, 142), (520, 122), (622, 146), (676, 220), (682, 310)),
    *((666, 392), (652, 330), (636, 276), (566, 268), (468, 252), (412, 214), (380, 280), (352, 326)),
]
_FADE = [
    *((336, 380), (328, 300), (344, 226), (404, 166), (500, 148), (596, 166), (656, 226), (672, 300)),
    *((664, 380), (650, 306), (628, 256), (560, 238), (500, 234), (440, 238), (372, 256), (350, 306)),
]
_SWEPT_BACK = [
    *((334, 400), (320, 318), (334, 232), (398, 164), (500, 136), (602, 164), (666, 232), (680, 318)),
    *((666, 400), (656, 342), (646, 288), (612, 232), (556, 206), (500, 214), (444, 206), (388, 232)),
    *((354, 288), (344, 342)),
]
_CROP = [
    *((334, 380), (324, 300), (340, 214), (400, 158), (500, 140), (600, 158), (660, 214), (676, 300)),
    *((666, 380), (652, 322), (634, 258), (588, 252), (548, 272), (500, 248), (452, 270), (412, 250)),
    *((366, 262), (348, 322)),
]
_BUN_BACK = [(0, 136), (112, 148), (182, 230), (192, 330), (180, 430), (0, 450)]
_BUN_HAIRLINE = [
    *((334, 420), (322, 320), (340, 224), (404, 158), (500, 138), (596, 158), (660, 224), (678, 320)),
    *((666, 420), (654, 340), (630, 270), (566, 222), (486, 206), (420, 232), (370, 276), (346, 340)),
]

_HIJAB_BACK = [(0, 96), (130, 118), (214, 230), (232, 400), (220, 560), (250, 700), (330, 830), (0, 900)]
_HIJAB_RIM = [(0, 118), (120, 134), (196, 230), (214, 390), (196, 540), (150, 640), (60, 700), (0, 706)]
_HIJAB_OPENING = [
    *((0, 206), (80, 212), (136, 254), (156, 330), (156, 410), (144, 480), (116, 550), (70, 598), (0, 618))
]


def draw_back_hair(pen: Pen, palette: Palette) -> None:
    draw = _BACKS.get(palette.persona.hair_style)
    if draw:
        draw(pen, palette)


def draw_front_hair(pen: Pen, palette: Palette) -> None:
    _FRONTS[palette.persona.hair_style](pen, palette)


def _arc(count: int, start: float, sweep: float) -> list[float]:
    """In radians; start and sweep are in half turns."""
    return [pi * (start + sweep * index / (count - 1)) for index in range(count)]


def _bob_back(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(mirrored(_BOB_BACK)), palette.hair_dark)


def _long_back(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(mirrored(_LONG_BACK)), palette.hair_dark)


def _curly_back(pen: Pen, palette: Palette) -> None:
    for angle in _arc(26, 0.98, 1.04):
        pen.dot(AXIS + 196 * cos(angle), 360 + 201 * sin(angle), 66, palette.hair_dark)
    for step in range(9):
        for side in SIDES:
            x = AXIS + side * (196 + 14 * sin(step * 1.7))
            pen.ellipse(x, 330 + step * 36, 58 - step * 1.5, 52, palette.hair_dark)
    pen.ellipse(AXIS, 330, 205, 190, palette.hair_dark)


def _bun_back(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(mirrored(_BUN_BACK)), palette.hair_dark)
    pen.ellipse(AXIS, 112, 84, 74, palette.hair)
    pen.stroke(open_curve([(444, 112), (478, 70), (532, 68), (560, 102)]), palette.hair_light, 8)
    pen.stroke(open_curve([(462, 138), (500, 108), (546, 120)]), palette.hair_dark, 6)


def _hijab_back(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(mirrored(_HIJAB_BACK)), mix(palette.hair, BLACK, 0.18))


def _bob_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_BOB_FRINGE), palette.hair)
    for lock in both_sides(_BOB_SIDE):
        pen.polygon(closed_curve(lock), palette.hair)
    pen.stroke(open_curve([(404, 204), (470, 176), (560, 180), (620, 220)]), palette.hair_light, 12)


def _long_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_LONG_PARTING), palette.hair)
    for lock in both_sides(_LONG_SIDE):
        pen.polygon(closed_curve(lock), palette.hair)
    pen.stroke(open_curve([(404, 216), (440, 186), (478, 168)]), palette.hair_light, 11)
    pen.stroke(open_curve([(536, 172), (590, 196), (626, 240)]), palette.hair_light, 9)


def _side_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_SIDE_PARTED), palette.hair)
    pen.stroke(open_curve([(430, 196), (500, 168), (590, 176), (640, 216)]), palette.hair_light, 12)
    pen.stroke(open_curve([(444, 226), (520, 214), (600, 226)]), palette.hair_dark, 6)


def _fade_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_FADE), palette.hair)
    for angle in _arc(15, 1.12, 0.76):
        pen.ellipse(AXIS + 160 * cos(angle), 300 + 142 * sin(angle), 22, 19, palette.hair)


def _curly_front(pen: Pen, palette: Palette) -> None:
    for index, angle in enumerate(_arc(15, 1.04, 0.92)):
        ink = _alternate(index, palette, 0.35)
        pen.ellipse(AXIS + 158 * cos(angle), 312 + 128 * sin(angle), 45, 43, ink)
    for index in range(9):
        pen.ellipse(372 + index * 32, 226 + 12 * sin(index * 2), 36, 33, _alternate(index, palette, 0.6))


def _alternate(index: int, palette: Palette, share: float) -> Colour:
    return palette.hair if index % 2 else mix(palette.hair, palette.hair_light, share)


def _swept_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_SWEPT_BACK), palette.hair)
    for start, end in (((412, 214), (452, 158)), ((470, 204), (492, 150)), ((588, 214), (548, 158))):
        pen.stroke([start, end], palette.hair_dark, 5)
    pen.stroke(open_curve([(380, 238), (430, 182), (500, 164), (560, 172)]), palette.hair_light, 10)


def _crop_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_CROP), palette.hair)
    for index in range(8):
        x = 362 + index * 38
        top = 112 + abs(index - 4) * 9
        pen.polygon([(x - 26, 190), (x + 26, top), (x + 34, 190)], palette.hair)
    pen.stroke(open_curve([(410, 208), (452, 178), (500, 186)]), palette.hair_light, 8)
    pen.stroke(open_curve([(530, 182), (578, 180), (618, 214)]), palette.hair_light, 8)


def _bun_front(pen: Pen, palette: Palette) -> None:
    pen.polygon(closed_curve(_BUN_HAIRLINE), palette.hair)
    for strand in ([(382, 268), (424, 206), (486, 164)], [(618, 256), (582, 202), (522, 162)]):
        pen.stroke(open_curve(strand), palette.hair_light, 8)
    for lock in both_sides([(150, 350), (168, 410), (156, 476), (164, 520)]):
        pen.stroke(open_curve(lock), palette.hair, 9)


def _hijab_front(pen: Pen, palette: Palette) -> None:
    opening = closed_curve(mirrored(_HIJAB_OPENING))
    pen.ring(closed_curve(mirrored(_HIJAB_RIM)), opening, palette.hair)
    pen.stroke([*opening, opening[0]], mix(palette.hair, BLACK, 0.3), 6)
    pen.stroke(open_curve([(388, 188), (450, 158), (530, 150)]), palette.hair_light, 12)
    pen.stroke(open_curve([(676, 480), (640, 600), (570, 680)]), mix(palette.hair, BLACK, 0.2), 6)
    pen.stroke(open_curve([(690, 420), (664, 560), (600, 660)]), palette.hair_light, 5)


_BACKS: dict[str, Drawing] = {
    "bob": _bob_back,
    "long": _long_back,
    "curly": _curly_back,
    "bun": _bun_back,
    "hijab": _hijab_back,
}

_FRONTS: dict[str, Drawing] = {
    "bob": _bob_front,
    "long": _long_front,
    "side": _side_front,
    "fade": _fade_front,
    "curly": _curly_front,
    "swept": _swept_front,
    "crop": _crop_front,
    "bun": _bun_front,
    "hijab": _hijab_front,
}
