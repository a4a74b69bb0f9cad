"""Colours and curves. Drawing units: a presenter's bust fills a square of 1000 units."""

from collections.abc import Iterable, Sequence

Point = tuple[float, float]
Colour = tuple[int, int, int]
Ink = tuple[int, ...]  # RGB, or RGB and alpha

UNITS = 1000
AXIS = 500.0  # the vertical line a face is symmetrical about
SIDES = (-1, 1)

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


def rgb(code: str) -> Colour:
    digits = code.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"{code!r} is not a colour of the form #rrggbb.")
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The first colour with `share` (0-1) of the second in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def mirrored(half: Iterable[Point]) -> list[Point]:
    """The closed outline whose right half is given as (distance from the axis, y), from the top down."""
    right = list(half)
    left = [(AXIS - away, y) for away, y in reversed(right) if away]
    return [(AXIS + away, y) for away, y in right] + left


def both_sides(points: Iterable[Point]) -> list[list[Point]]:
    """The points, given as (distance from the axis, y), on the left and on the right."""
    half = list(points)
    return [[(AXIS + side * away, y) for away, y in half] for side in SIDES]


def closed_curve(points: Sequence[Point], steps: int = 14) -> list[Point]:
    count = len(points)
    return [
        _catmull_rom(points[i - 1], points[i], points[(i + 1) % count], points[(i + 2) % count], step / steps)
        for i in range(count)
        for step in range(steps)
    ]


def open_curve(points: Sequence[Point], steps: int = 14) -> list[Point]:
    path = [points[0], *points, points[-1]]
    curve = [
        _catmull_rom(path[i], path[i + 1], path[i + 2], path[i + 3], step / steps)
        for i in range(len(points) - 1)
        for step in range(steps)
    ]
    return [*curve, points[-1]]


def _catmull_rom(before: Point, start: Point, end: Point, after: Point, share: float) -> Point:
    return (
        _cubic(before[0], start[0], end[0], after[0], share),
        _cubic(before[1], start[1], end[1], after[1], share),
    )


def _cubic(before: float, start: float, end: float, after: float, share: float) -> float:
    linear = (end - before) * share
    square = (2 * before - 5 * start + 4 * end - after) * share**2
    cube = (3 * start - before - 3 * end + after) * share**3
    return (2 * start + linear + square + cube) / 2
