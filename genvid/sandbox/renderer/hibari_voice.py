"""English speech from the neural model inside the hibari wheel, with the exact time of every phoneme."""

import logging
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from hibari import Hibari, dsp
from numpy.typing import NDArray

from genvid.sandbox.renderer.timeline import Phoneme, Samples, Speech, SpeechBuilder, Word, chunked, spread
from genvid.sandbox.renderer.voice_profiles import VoiceProfile

MODEL_RATE = 24_000
SENTENCE_GAP = 0.16  # seconds
LONGEST_CHUNK = 220  # characters the model reads at once
VOICED_HZ = 40
BOUNDARY = "|"
PUNCTUATION = frozenset(',.!?;:—…"()“”')
NOISE_SEED = 7

# The graph computes phoneme durations at this node without returning them.
_DURATIONS_NODE = "/Clip_output_0"

_LONG_NUMBER = re.compile(r"\d{13,}")  # longer than the engine has names for

FloatArray = NDArray[np.float32]
log = logging.getLogger(__name__)


class Spectrum(NamedTuple):
    """The model's prediction for a chunk, one column per 12.5 ms frame; durations are in model steps."""

    harmonics: FloatArray
    phase: FloatArray
    noise: FloatArray
    residual: FloatArray
    residual_phase: FloatArray
    pitch: FloatArray
    durations: FloatArray


class HibariVoice:
    def __init__(self) -> None:
        # Only the default voice ships in the wheel; naming another would start a download.
        self._hibari = Hibari()
        self._session = _open_session(Path(self._hibari.model_path))

    def say(self, text: str, voice: VoiceProfile, speed: float, pitch: float) -> Speech:
        builder = SpeechBuilder(round(MODEL_RATE * voice.formant))
        noise = np.random.default_rng(NOISE_SEED)
        for sentence in self._chunks(text):
            phonemes = self._read(sentence)
            if not phonemes:
                builder.add(_unspoken(sentence, builder.rate))
                continue
            spectrum = self._predict(phonemes, voice.tempo * speed / voice.formant)
            samples = _synthesise(spectrum, voice, pitch, noise)
            builder.add(self._timed_speech(sentence, phonemes, samples, spectrum, builder.rate))
            builder.add_silence(SENTENCE_GAP)
        return builder.build()

    def _chunks(self, text: str) -> Iterator[str]:
        for sentence in self._hibari.split_sentences(text):
            yield from chunked(sentence, LONGEST_CHUNK)

    def _read(self, sentence: str) -> str:
        try:
            return str(self._hibari.g2p(_LONG_NUMBER.sub(_digit_by_digit, sentence)) or "")
        except (IndexError, KeyError, ValueError):
            # Its reading rules are young: one odd sentence stays silent rather than cost the video.
            log.warning("The voice cannot read a sentence of %d characters", len(sentence))
            return ""

    def _predict(self, phonemes: str, pace: float) -> Spectrum:
        feed = {
            "ids": np.asarray([self._hibari.ids(phonemes)], np.int64),
            "speed": np.asarray([pace], np.float32),
        }
        outputs = self._session.run(None, feed)
        harmonics, phase, noise, residual, residual_phase, pitch = (output[0] for output in outputs[:6])
        return Spectrum(harmonics, phase, noise, residual, residual_phase, pitch, outputs[6].reshape(-1))

    def _timed_speech(self, sentence: str, phonemes: str, samples: Samples, spectrum: Spectrum, rate: int) -> Speech:
        length = len(samples) / rate
        texts = sentence.split()
        known = [symbol for symbol in phonemes if symbol in self._hibari.vocab]
        timed = _lay_out([BOUNDARY, *known, BOUNDARY], spectrum.durations, length)
        return Speech(samples, rate, tuple(timed), tuple(_match_words(texts, timed, length)))


@lru_cache(1)
def hibari_voice() -> HibariVoice:
    return HibariVoice()


def _open_session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    timed = model.read_bytes() + _extra_output(_DURATIONS_NODE)
    return onnxruntime.InferenceSession(timed, options, providers=["CPUExecutionProvider"])


def _extra_output(name: str) -> bytes:
    """A serialised model of one float output; protobuf merges it into the model it is appended to."""
    label = name.encode()
    value = b"\x0a" + bytes([len(label)]) + label + b"\x12\x04\x0a\x02\x08\x01"
    graph = b"\x62" + bytes([len(value)]) + value
    return b"\x3a" + bytes([len(graph)]) + graph


def _digit_by_digit(number: re.Match[str]) -> str:
    return " ".join(number.group())


def _unspoken(sentence: str, rate: int) -> Speech:
    words = tuple(Word(text, 0.0, 0.0) for text in sentence.split())
    return Speech(np.zeros(0, np.float32), rate, (), words)


def _synthesise(spectrum: Spectrum, voice: VoiceProfile, pitch: float, noise: np.random.Generator) -> Samples:
    voiced = spectrum.pitch > VOICED_HZ
    samples: Samples = dsp.synth(
        spectrum.harmonics,
        spectrum.phase,
        spectrum.noise,
        spectrum.residual - np.float32(voice.breath_cut) * voiced,
        spectrum.residual_phase,
        spectrum.pitch * np.float32(voice.melody * 2 ** (pitch / 12)),
        noise,
    )
    return samples


def _lay_out(symbols: Sequence[str], durations: FloatArray, length: float) -> list[Phoneme]:
    ends = np.cumsum(durations, dtype=np.float64) * length / float(durations.sum())
    starts = np.concatenate([[0.0], ends[:-1]])
    return [
        Phoneme(symbol, float(start), float(end)) for symbol, start, end in zip(symbols, starts, ends, strict=False)
    ]


def _match_words(texts: Sequence[str], phonemes: Sequence[Phoneme], length: float) -> list[Word]:
    spans = list(_spoken_spans(phonemes))
    if len(spans) == len(texts):
        return [Word(text, start, end) for text, (start, end) in zip(texts, spans, strict=True)]
    # Numbers and dates are read as several words, so their spans cannot be told apart.
    return spread(texts, spans[0][0], spans[-1][1]) if spans else spread(texts, 0.0, length)


def _spoken_spans(phonemes: Sequence[Phoneme]) -> Iterator[tuple[float, float]]:
    start, end = None, 0.0
    for phoneme in phonemes:
        if phoneme.symbol in (" ", BOUNDARY):
            if start is not None:
                yield start, end
            start = None
        elif phoneme.symbol not in PUNCTUATION:
            start, end = (phoneme.start if start is None else start), phoneme.end
    if start is not None:
        yield start, end
