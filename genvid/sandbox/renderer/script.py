"""The words and pauses of a script, and its length, without speaking it."""

import re
import unicodedata
from dataclasses import dataclass

WORDS_PER_MINUTE = 150
MAX_CHARACTERS_PER_SECOND, LONGEST_WORD = 15, 30
LONGEST_PAUSE = 10.0  # seconds
LEAD_IN = 0.35  # seconds of stillness before the first word
LEAD_OUT = 0.55  # and after the last

# Nothing else is a pause at HeyGen: what people write otherwise is read aloud.
_BREAK = re.compile(r'(?<!\S)<break time="(\d+(?:\.\d+)?)s"\s*/>(?!\S)')
_SPOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]{1,2}(?![^\W_]))?")


class Unspeakable(ValueError):
    """The script holds nothing a voice could say."""


@dataclass(frozen=True)
class Passage:
    text: str
    pause: float


def passages(script: str) -> list[Passage]:
    found, start = [], 0
    for tag in _BREAK.finditer(script):
        found.append(Passage(script[start : tag.start()].strip(), _pause_of(tag)))
        start = tag.end()
    found.append(Passage(script[start:].strip(), 0.0))
    return found


def words_of(script: str) -> list[str]:
    return parted(_BREAK.sub(" ", script)).split()


def parted(text: str) -> str:
    """A zero-width space parts words as any other space does."""
    return text.replace("\u200b", " ")


def speakable(text: str) -> bool:
    return any(character.isalnum() for word in words_of(text) for character in word)


def spoken_form(word: str) -> str:
    """The word as the voices can read it: plain letters and digits, nothing invisible."""
    plain = unicodedata.normalize("NFKC", word)
    return "".join(_plain_digit(character) for character in plain if not _is_invisible(character))


def require_speakable(script: str) -> None:
    if not speakable(script):
        raise Unspeakable("The script has no letter or digit to speak.")


def estimate_seconds(script: str, speed: float = 1.0) -> float:
    """Of the finished video: 150 words a minute, plus the pauses."""
    pauses = sum(passage.pause for passage in passages(script))
    spoken = sum(_word_seconds(word) for word in words_of(script)) / speed
    return round(LEAD_IN + spoken + pauses + LEAD_OUT, 2)


def _word_seconds(word: str) -> float:
    """`hello,hello` is two words, and long runs of letters take longer."""
    parts = _SPOKEN.findall(word)
    letters = sum(map(len, parts))
    floor = letters / MAX_CHARACTERS_PER_SECOND if letters > LONGEST_WORD else 0
    return max(max(1, len(parts)) * 60 / WORDS_PER_MINUTE, floor)


def _plain_digit(character: str) -> str:
    return str(unicodedata.digit(character, character))


def _is_invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _pause_of(tag: re.Match[str]) -> float:
    return min(float(tag[1]), LONGEST_PAUSE)
