"""Speech in other languages from the espeak-ng library inside a wheel, with phoneme and word events."""

import ctypes
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

import espeakng_loader
import numpy as np

from genvid.sandbox.renderer.timeline import Phoneme, Samples, Speech, Word
from genvid.sandbox.renderer.voice_profiles import VoiceProfile

NORMAL_RATE = 165  # words a minute
NORMAL_PITCH = 50  # of 100
PITCH_STEPS_PER_SEMITONE = 4
FULL_SCALE = 32_768  # of the library's 16-bit samples

# Values of espeak-ng's speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 1 | 2
_UTF8 = 1
_POSITION_IN_CHARACTERS = 1
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3
_EVENT_END_OF_LIST, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("message", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("phoneme", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class SpeechEvent(NamedTuple):
    """At `sample` the engine began a phoneme, or the word at `position` of the text."""

    sample: int
    position: int
    symbol: str | None


class EspeakVoice:
    """The library holds one voice for the whole process and is locked while it speaks."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS_IN_IPA)
        self._lock = Lock()
        self._samples: list[Samples] = []
        self._events: list[SpeechEvent] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: VoiceProfile, speed: float, pitch: float) -> Speech:
        with self._lock:
            self._samples, self._events = [], []
            self._choose(voice, speed, pitch)
            encoded = text.encode()
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, _POSITION_IN_CHARACTERS, 0, _UTF8, None, None)
            return _speech(text, self._samples, self._events, self._rate)

    def _choose(self, voice: VoiceProfile, speed: float, pitch: float) -> None:
        self._library.espeak_SetVoiceByName(voice.espeak_voice.encode())
        self._library.espeak_SetParameter(_PARAMETER_RATE, round(NORMAL_RATE * voice.tempo * speed), 0)
        raised = NORMAL_PITCH * voice.melody + pitch * PITCH_STEPS_PER_SEMITONE
        self._library.espeak_SetParameter(_PARAMETER_PITCH, round(min(99, max(0, raised))), 0)

    def _receive(self, wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: Sequence[_Event]) -> int:
        if wave and count:
            levels = np.ctypeslib.as_array(wave, (count,)).astype(np.float32)
            self._samples.append(levels / np.float32(FULL_SCALE))
        index = 0
        while events[index].type != _EVENT_END_OF_LIST:
            self._record(events[index])
            index += 1
        return 0

    def _record(self, event: _Event) -> None:
        if event.type == _EVENT_WORD:
            self._events.append(SpeechEvent(event.sample, event.text_position - 1, None))
        elif event.type == _EVENT_PHONEME:
            # The field holds eight bytes, so a long symbol may end inside a character.
            symbol = event.phoneme.decode("utf-8", "ignore") or "|"
            self._events.append(SpeechEvent(event.sample, 0, symbol))


@lru_cache(1)
def espeak_voice() -> EspeakVoice:
    return EspeakVoice()


def _speech(text: str, chunks: Sequence[Samples], events: Sequence[SpeechEvent], rate: int) -> Speech:
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    phonemes = _phonemes([event for event in events if event.symbol], len(samples), rate)
    if not phonemes:
        return Speech(samples[:0], rate)
    words = _words(text, [event for event in events if event.symbol is None], len(samples), rate)
    return Speech(samples, rate, tuple(phonemes), tuple(words))


def _phonemes(events: Sequence[SpeechEvent], end: int, rate: int) -> list[Phoneme]:
    closing = SpeechEvent(end, 0, None)
    timed = [
        Phoneme(event.symbol or "|", event.sample / rate, following.sample / rate)
        for event, following in pairwise([*events, closing])
    ]
    return timed if any(phoneme.symbol != "|" for phoneme in timed) else []


def _words(text: str, events: Sequence[SpeechEvent], end: int, rate: int) -> list[Word]:
    starts: dict[int, int] = {}
    offsets = _offsets(text)
    for event in events:
        starts.setdefault(max(0, bisect_right(offsets, event.position) - 1), event.sample)
    begun, moment = [], 0
    for index in range(len(offsets)):
        moment = max(moment, starts.get(index, moment))
        begun.append(moment)
    return [
        Word(token, start / rate, until / rate)
        for token, (start, until) in zip(text.split(), pairwise([*begun, end]), strict=True)
    ]


def _offsets(text: str) -> list[int]:
    offsets, at = [], 0
    for token in text.split():
        at = text.index(token, at)
        offsets.append(at)
        at += len(token)
    return offsets
