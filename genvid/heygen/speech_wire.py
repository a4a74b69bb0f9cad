"""HeyGen's JSON of speech, to and from our types. Fields: HeyGen v3, API reference, `POST /v3/voices/speech`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genvid.heygen.heygen_errors import Unknown
from genvid.heygen.wire import Json, read_link, read_list, read_number, read_text

MAX_WORDS = 10_000
MAX_WORD_LENGTH = 200


@dataclass(frozen=True)
class SpeechSpec:
    """`has_markup`: `text` is SSML. `speed` is a factor from 0.5 to 2. None leaves the choice to HeyGen."""

    text: str
    voice_id: str
    has_markup: bool = False
    speed: float | None = None
    language: str | None = None
    locale: str | None = None


@dataclass(frozen=True)
class SpokenWord:
    word: str
    start: float
    """In seconds, as `end`."""
    end: float


@dataclass(frozen=True)
class Spoken:
    """`duration` is in seconds. The link is signed and expires."""

    audio_url: str
    duration: float
    words: tuple[SpokenWord, ...] = ()


def write_speech(spec: SpeechSpec) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "text": spec.text,
        "voice_id": spec.voice_id,
        "input_type": "ssml" if spec.has_markup else "text",
        "speed": spec.speed,
        "language": spec.language,
        "locale": spec.locale,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_speech(data: Json) -> Spoken:
    """Raises Unknown without a link or a length: the speech was made, and another answer may name them."""
    url, duration = read_link(data, "audio_url"), read_number(data, "duration")
    if url is None or not duration:
        raise Unknown("unreadable", "audio_url or duration is missing")
    return Spoken(url, duration, tuple(_read_words(data)))


def _read_words(data: Json) -> Iterator[SpokenWord]:
    """Words without a text, or whose times are no times, are left out."""
    for raw in read_list(data, "word_timestamps")[:MAX_WORDS]:
        if not isinstance(raw, dict):
            continue
        word, start, end = read_text(raw, "word"), read_number(raw, "start"), read_number(raw, "end")
        if word and start is not None and end is not None and end >= start:
            yield SpokenWord(word[:MAX_WORD_LENGTH], start, end)
