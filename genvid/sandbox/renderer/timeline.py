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
    """Mono samples with the phonemes and words in them; no phonemes means that they are unknown."""

    samples: Samples
    rate: int
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def duration(self) -> float:
        return len(self.samples) / self.rate

    def loudness(self, frames: int, fps: int) -> Levels:
        step = self.rate / fps
        edges = (np.arange(frames + 1) * step).astype(int)
        total = np.concatenate([[0.0], np.cumsum(np.abs(self.samples), dtype=np.float64)])
        inside = np.minimum(edges, len(self.samples))
        levels: Levels = (total[inside[1:]] - total[inside[:-1]]) / step
        return levels


Span = TypeVar("Span", Phoneme, Word)


@dataclass
class SpeechBuilder:
    rate: int
    parts: list[Samples] = field(default_factory=list)
    phonemes: list[Phoneme] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    length: int = 0  # samples so far

    @property
    def now(self) -> float:
        return self.length / self.rate

    def add(self, speech: Speech) -> None:
        self.phonemes += [later(phoneme, self.now) for phoneme in speech.phonemes]
        self.words += [later(word, self.now) for word in speech.words]
        self._add_samples(speech.samples)

    def add_silence(self, seconds: float) -> None:
        self._add_samples(np.zeros(round(seconds * self.rate), np.float32))

    def build(self) -> Speech:
        samples = np.concatenate(self.parts) if self.parts else np.zeros(0, np.float32)
        return Speech(samples, self.rate, tuple(self.phonemes), tuple(self.words))

    def _add_samples(self, samples: Samples) -> None:
        self.parts.append(samples)
        self.length += len(samples)


def spread(texts: Sequence[str], start: float, end: float) -> list[Word]:
    characters = sum(len(text) + 1 for text in texts)
    words, moment = [], start
    for text in texts:
        until = moment + (end - start) * (len(text) + 1) / characters
        words.append(Word(text, moment, until))
        moment = until
    return words


def normalised(samples: Samples, peak: float) -> Samples:
    """Scaled so that the loudest sample reaches `peak` (1.0 is full scale)."""
    loudest = float(np.abs(samples).max(initial=0.0))
    return samples if loudest == 0 else (samples * np.float32(peak / loudest))


def chunked(text: str, limit: int) -> Iterable[str]:
    """Cut at spaces into parts of at most `limit` characters; a longer word is cut itself."""
    chunk = ""
    for word in text.split():
        for part in (word[at : at + limit] for at in range(0, len(word), limit)):
            if chunk and len(chunk) + 1 + len(part) > limit:
                yield chunk
                chunk = part
            else:
                chunk = f"{chunk} {part}" if chunk else part
    if chunk:
        yield chunk


def later(span: Span, by: float) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)
