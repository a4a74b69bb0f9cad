"""A presenter that can be posed: still layers drawn once, moving parts drawn when first needed."""

from collections.abc import Callable
from functools import lru_cache
from math import cos, radians, sin
from typing import NamedTuple

from PIL import Image

from genvid.sandbox.renderer.face import draw_head, draw_over_face
from genvid.sandbox.renderer.geometry import AXIS
from genvid.sandbox.renderer.hair import draw_back_hair, draw_front_hair
from genvid.sandbox.renderer.motion import Pose
from genvid.sandbox.renderer.mouth import MouthShape
from genvid.sandbox.renderer.outfit import draw_body
from genvid.sandbox.renderer.palette import Palette
from genvid.sandbox.renderer.pen import Box, Image_, Pen
from genvid.sandbox.renderer.personas import Persona
from genvid.sandbox.renderer.sprites import EYES_ORIGIN, MOUTH_ORIGIN, EyePose, draw_eyes, draw_mouth

TURN_MARGIN = 26  # units kept free around a layer that is rotated
PIVOT_Y = 640  # the head turns about the top of the spine
TILT_STEP = 0.12  # degrees between two drawings of the hair behind the head


class Layer(NamedTuple):
    """A picture and where its corner lies on the bust, in pixels."""

    image: Image_
    left: int
    top: int


class Puppet:
    """A persona at `scale` pixels per unit."""

    def __init__(self, persona: Persona, scale: float) -> None:
        self._scale = scale
        self._palette = Palette(persona)
        back, body, head = self._sheet(draw_back_hair), self._sheet(draw_body), self._sheet(draw_head)
        front = self._sheet(draw_front_hair, draw_over_face)
        margin = round(TURN_MARGIN * scale)
        face_box = _around(head, front, margin=margin)
        self._head = _cut(head, face_box)
        self._front = _cut(front, face_box)
        self._body = _cut(body, _around(body, margin=0))
        self._back = _cut(back, _around(back, margin=margin))
        self._eyes = lru_cache(128)(self._draw_eyes)
        self._mouth = lru_cache(512)(self._draw_mouth)
        self._turned_back = lru_cache(64)(self._turn_back)

    def perform(self, picture: Image_, left: int, top: int, pose: Pose) -> None:
        shift_x, shift_y = pose.sway_x * self._scale, pose.sway_y * self._scale
        hair = self._turned_back(round(pose.tilt / TILT_STEP))
        corner = (left + self._back.left + round(shift_x), top + self._back.top + round(shift_y))
        picture.paste(hair, corner, hair)
        breath = round(pose.breath * self._scale)
        _paste(picture, self._body, left, top + breath)
        head = _turned(self._face(pose), pose.tilt, shift_x, shift_y, self._scale)
        _paste(picture, head, left, top)

    def _face(self, pose: Pose) -> Layer:
        face, left, top = self._head.image.copy(), self._head.left, self._head.top
        mouth = self._mouth(pose.mouth, pose.smile)
        face.alpha_composite(mouth, self._corner(MOUTH_ORIGIN, left, top))
        face.alpha_composite(self._eyes(pose.eyes), self._corner(EYES_ORIGIN, left, top))
        face.alpha_composite(self._front.image)
        return Layer(face, left, top)

    def _corner(self, origin: tuple[float, float], left: int, top: int) -> tuple[int, int]:
        return round(origin[0] * self._scale) - left, round(origin[1] * self._scale) - top

    def _draw_eyes(self, pose: EyePose) -> Image_:
        return draw_eyes(self._palette, pose, self._scale)

    def _draw_mouth(self, shape: MouthShape, smile: float) -> Image_:
        return draw_mouth(self._palette, shape, smile, self._scale)

    def _turn_back(self, steps: int) -> Image_:
        return _turned(self._back, steps * TILT_STEP, 0, 0, self._scale).image

    def _sheet(self, *drawings: Callable[[Pen, Palette], None]) -> Image_:
        pen = Pen(self._scale)
        for draw in drawings:
            draw(pen, self._palette)
        return pen.finish()


def _around(*sheets: Image_, margin: int) -> Box | None:
    boxes = [box for sheet in sheets if (box := sheet.getbbox())]
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return (
        max(0, min(lefts) - margin),
        max(0, min(tops) - margin),
        max(rights) + margin,
        max(bottoms) + margin,
    )


def _cut(sheet: Image_, box: Box | None) -> Layer:
    return Layer(sheet.crop(box), box[0], box[1]) if box else Layer(sheet.crop((0, 0, 1, 1)), 0, 0)


def _paste(picture: Image_, layer: Layer, left: int, top: int) -> None:
    picture.paste(layer.image, (left + layer.left, top + layer.top), layer.image)


def _turned(layer: Layer, degrees: float, shift_x: float, shift_y: float, scale: float) -> Layer:
    across, down = cos(radians(degrees)), sin(radians(degrees))
    pivot_x, pivot_y = AXIS * scale - layer.left, PIVOT_Y * scale - layer.top
    x, y = pivot_x + shift_x, pivot_y + shift_y
    inverse = (across, down, pivot_x - across * x - down * y, -down, across, pivot_y + down * x - across * y)
    image = layer.image.transform(layer.image.size, Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR)
    return layer._replace(image=image)
