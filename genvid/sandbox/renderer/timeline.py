"""Speech laid out in time. All times are seconds from the start of the recording."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Levels = NDArray[np.float64]


@dataclass(frozen=True)
class Phoneme:
    symbol: str
    start: float
    end: float


@dataclass(frozen=True)
class Word:
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """Mono samples with the phonemes and words heard in them; no phonemes means they are not known."""

    samples: Samples
    rate: int
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def duration(self) -> float:
        return len(self.samples) / self.rate

    def loudness(self, frames: int, fps: int) -> Levels:
        """Mean absolute level of each video frame."""
        step = self.rate / fps
        edges = (np.arange(frames + 1) * step).astype(int)
        total = np.concatenate([[0.0], np.cumsum(np.abs(self.samples), dtype=np.float64)])
        inside = np.minimum(edges, len(self.samples))
        levels: Levels = (total[inside[1:]] - total[inside[:-1]]) / step
        return levels


Span = TypeVar("Span", Phoneme, Word)


@dataclass
class Tape:
    """Speech being put together piece by piece."""

    rate: int
    pieces: list[Samples] = field(default_factory=list)
    phonemes: list[Phoneme] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    recorded: int = 0  # samples so far

    @property
    def now(self) -> float:
        return self.recorded / self.rate

    def play(self, speech: Speech) -> None:
        self.phonemes += [_later(phoneme, self.now) for phoneme in speech.phonemes]
        self.words += [_later(word, self.now) for word in speech.words]
        self._append(speech.samples)

    def pause(self, seconds: float) -> None:
        self._append(np.zeros(round(seconds * self.rate), np.float32))

    def speech(self) -> Speech:
        samples = np.concatenate(self.pieces) if self.pieces else np.zeros(0, np.float32)
        return Speech(samples, self.rate, tuple(self.phonemes), tuple(self.words))

    def _append(self, samples: Samples) -> None:
        self.pieces.append(samples)
        self.recorded += len(samples)


def spread(texts: Sequence[str], start: float, end: float) -> list[Word]:
    """Words shared out between two moments by their length, for when their own times are unknown."""
    letters = sum(len(text) + 1 for text in texts)
    words, moment = [], start
    for text in texts:
        until = moment + (end - start) * (len(text) + 1) / letters
        words.append(Word(text, moment, until))
        moment = until
    return words


def normalised(samples: Samples, peak: float) -> Samples:
    """The samples scaled so that the loudest one reaches `peak` (1.0 is full scale)."""
    loudest = float(np.abs(samples).max(initial=0.0))
    return samples if loudest == 0 else (samples * np.float32(peak / loudest))


def chunked(text: str, limit: int) -> Iterable[str]:
    """The text cut at spaces into pieces of at most `limit` characters; a longer word is cut itself."""
    piece = ""
    for word in text.split():
        for part in (word[at : at + limit] for at in range(0, len(word), limit)):
            if piece and len(piece) + 1 + len(part) > limit:
                yield piece
                piece = part
            else:
                piece = f"{piece} {part}" if piece else part
    if piece:
        yield piece


def _later(span: Span, by: float) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)
