"""How a presenter moves: blinks, glances, raised brows, sway and breath, fixed by the script."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sin
from random import Random

from genvid.sandbox.renderer.mouth import MouthShape, articulate
from genvid.sandbox.renderer.sprites import LID_SHUT, EyePose
from genvid.sandbox.renderer.timeline import Speech

# How far from a blink's middle, in seconds, the lid is at each height.
BLINK = ((0.045, LID_SHUT), (0.075, 3), (0.11, 1))
GLANCES_X = (-5, -3, 0, 0, 0, 3, 5)
GLANCES_Y = (-2, 0, 0, 1)
BROW_LIFT = 5  # units
BROW_FRAMES = 9  # a raised brow sinks over so many frames
SMILE, TALKING_SMILE = 7.0, 3.0
NOD = 26  # units a loud syllable lifts the head
NOD_SPEED = 0.25


@dataclass(frozen=True)
class Pose:
    """A presenter at one frame. Distances in units, tilt in degrees."""

    eyes: EyePose
    mouth: MouthShape
    smile: float
    sway_x: float
    sway_y: float
    tilt: float
    breath: float


class Choreography:
    def __init__(self, speech: Speech, frames: int, fps: int, seed: str) -> None:
        dice = Random(seed)
        length = frames / fps
        self._fps = fps
        self._articulation = articulate(speech, frames, fps)
        self._energy = list(_smoothed(speech.loudness(frames, fps).tolist()))
        self._blinks = list(_moments(dice, 0.9, length, 2.2, 4.2))
        self._glances = [
            (moment, dice.choice(GLANCES_X), dice.choice(GLANCES_Y)) for moment in _moments(dice, 0.8, length, 1.1, 2.6)
        ]

    def pose(self, frame: int) -> Pose:
        moment = frame / self._fps
        mouth = _coarse(self._articulation.at(frame))
        return Pose(
            eyes=EyePose(self._lid(moment), *self._gaze(moment), self._brow(frame)),
            mouth=mouth,
            smile=SMILE if mouth.opening < 4 else TALKING_SMILE,
            sway_x=3.2 * sin(moment * 1.25) + 1.6 * sin(moment * 2.7 + 1),
            sway_y=2.2 * sin(moment * 1.9 + 0.6) - NOD * self._energy[frame],
            tilt=1.1 * sin(moment * 0.9) + 0.6 * sin(moment * 2.3 + 2),
            breath=1.6 * sin(moment * 1.7),
        )

    def _lid(self, moment: float) -> int:
        away = min((abs(moment - blink) for blink in self._blinks), default=9.0)
        return next((lid for reach, lid in BLINK if away < reach), 0)

    def _gaze(self, moment: float) -> tuple[int, int]:
        past = [(x, y) for begun, x, y in self._glances if begun <= moment]
        return past[-1] if past else (0, 0)

    def _brow(self, frame: int) -> int:
        recent = self._articulation.stress[max(0, frame - BROW_FRAMES + 1) : frame + 1][::-1]
        lifts = (stress * (1 - age / BROW_FRAMES) for age, stress in enumerate(recent))
        return round(BROW_LIFT * max(lifts, default=0.0))


def _moments(dice: Random, first: float, end: float, shortest: float, longest: float) -> Iterator[float]:
    moment = first
    while moment < end:
        yield moment
        moment += dice.uniform(shortest, longest)


def _smoothed(levels: list[float]) -> Iterator[float]:
    energy = 0.0
    for level in levels:
        energy += (level - energy) * NOD_SPEED
        yield energy


def _coarse(shape: MouthShape) -> MouthShape:
    """The shape on a coarse grid, so that a mouth drawn once serves many frames."""
    return MouthShape(
        round(shape.half_width / 3) * 3.0,
        round(shape.opening / 3) * 3.0,
        round(shape.roundness / 2) * 2.0,
        float(round(shape.teeth)),
    )
