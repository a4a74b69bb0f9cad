"""Lip-sync: a mouth shape for every frame, from phonemes or, without them, from loudness."""

# ruff: noqa: RUF001 - the phonetic alphabet has letters that look like others

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genvid.sandbox.renderer.timeline import Phoneme, Speech

Track = NDArray[np.float64]  # one row per frame, one column per field of MouthShape


class MouthShape(NamedTuple):
    """Half width and opening in drawing units, roundness 0-8, rows of teeth 0-2."""

    half_width: float
    opening: float
    roundness: float
    teeth: float


REST = MouthShape(40, 0, 0, 0)
OPEN = MouthShape(45, 42, 1, 1)
# The sounds of each shape. Capitals are hibari's diphthongs; the rest is IPA as either engine writes it.
VISEMES = (
    ("mbp", MouthShape(38, 0, 1, 0)),
    ("fvβ", MouthShape(40, 9, 0, 1)),
    ("θð", MouthShape(41, 14, 0, 1)),
    ("tdnɾʔT", MouthShape(42, 15, 0, 2)),
    ("sz", MouthShape(44, 11, 0, 2)),
    ("ʃʒʤʧʂç", MouthShape(34, 17, 5, 2)),
    ("kɡgŋhxɣɲʁχ", MouthShape(42, 18, 0, 1)),
    ("lʎ", MouthShape(42, 20, 0, 1)),
    ("ɹr", MouthShape(36, 17, 4, 1)),
    ("w", MouthShape(27, 13, 8, 0)),
    ("əɐᵊɜɚʌ", MouthShape(42, 21, 1, 1)),
    ("ɛeAæœø", MouthShape(45, 27, 0, 1)),
    ("iɪᵻj", MouthShape(49, 16, 0, 2)),
    ("ɑa", OPEN),
    ("ɔOQoY", MouthShape(36, 36, 5, 0)),
    ("uʊyʏ", MouthShape(28, 18, 8, 0)),
    ("W", MouthShape(40, 38, 3, 1)),
    ("I", MouthShape(47, 38, 0, 1)),
)
SHAPES = {sound: shape for sounds, shape in VISEMES for sound in sounds}

STRESS = {"ˈ": 1.0, "ˌ": 0.4}
SILENCES = frozenset("|.,!?;:—…")
SHORTEST_REST = 0.06  # seconds; a shorter silence does not close the mouth
ANTICIPATION = 0.02  # seconds by which lips precede the sound

OPENING_SPEED = 0.62  # share of the way to the next shape covered in one frame
CLOSING_SPEED = 0.78
LOOKAHEAD = 0.28  # weight of the following frame

LOUD = 0.11  # mean level at which an envelope-driven mouth is fully open
SILENT = 0.008


@dataclass(frozen=True)
class Articulation:
    shapes: Track
    stress: NDArray[np.float64]

    def at(self, frame: int) -> MouthShape:
        return MouthShape(*(float(value) for value in self.shapes[frame]))


def articulate(speech: Speech, frames: int, fps: int) -> Articulation:
    if not speech.phonemes:
        return _follow_loudness(speech.loudness(frames, fps))
    targets = _targets(speech.phonemes, frames, fps)
    return Articulation(_coarticulated(targets), _stresses(speech.phonemes, frames, fps))


def _targets(phonemes: Sequence[Phoneme], frames: int, fps: int) -> Track:
    targets = np.tile(np.array(REST, np.float64), (frames, 1))
    shaped = [(phoneme, shape) for phoneme in phonemes if (shape := _shape_of(phoneme))]
    starts = np.array([phoneme.start for phoneme, _ in shaped])
    moments = (np.arange(frames) + 0.5) / fps + ANTICIPATION
    current = np.searchsorted(starts, moments, side="right") - 1
    for frame, index in enumerate(current):
        if index >= 0:
            targets[frame] = shaped[index][1]
    return targets


def _shape_of(phoneme: Phoneme) -> MouthShape | None:
    sound = phoneme.symbol.lstrip("ˈˌ")[:1]
    if sound in SHAPES:
        return SHAPES[sound]
    if sound in SILENCES and phoneme.end - phoneme.start > SHORTEST_REST:
        return REST
    return None


def _coarticulated(targets: Track) -> Track:
    """Lips approach each shape gradually and begin the next one early."""
    closed = targets[:, 1] <= 1
    shapes = targets.copy()
    for frame in range(1, len(shapes)):
        speed = CLOSING_SPEED if closed[frame] else OPENING_SPEED
        shapes[frame] = shapes[frame - 1] + (targets[frame] - shapes[frame - 1]) * speed
    following = np.vstack([shapes[1:], shapes[-1:]])
    shapes = (1 - LOOKAHEAD) * shapes + LOOKAHEAD * following
    # An m, b or p must look shut even between two vowels.
    shapes[closed & (shapes[:, 1] < 9), 1] *= 0.35
    return shapes


def _stresses(phonemes: Sequence[Phoneme], frames: int, fps: int) -> NDArray[np.float64]:
    stress = np.zeros(frames)
    for phoneme in phonemes:
        level = STRESS.get(phoneme.symbol[:1])
        if level:
            stress[min(int(phoneme.start * fps), frames - 1)] = level
    return stress


def _follow_loudness(loudness: NDArray[np.float64]) -> Articulation:
    """Opens the mouth where it is loud. Loudness does not tell an o from an e."""
    openness = np.clip((loudness - SILENT) / (LOUD - SILENT), 0, 1) ** 0.7
    rest, wide = np.array(REST), np.array(OPEN)
    targets = rest + openness[:, None] * (wide - rest)
    rising = np.diff(openness, prepend=0.0) > 0.35
    return Articulation(_coarticulated(targets), rising.astype(np.float64))
