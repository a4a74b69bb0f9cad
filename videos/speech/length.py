"""Estimates how long a voice speaks a script, and the most that it may take.

Counts words by their letters in their writing system, numbers by their digits, signs by their names, pauses by their
seconds. The two figures differ where the reading is uncertain: a sign that may be named or skipped, a foreign writing
system, a word of no language.
"""

# ruff: noqa: RUF001 - punctuation of every script

import unicodedata
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import lru_cache

import regex

from videos.speech import markup, rates, writing

LEAD_SECONDS = 1.0
MAX_PAUSE_SECONDS = 3600
"""Seconds; longer pauses count as this: such a script is refused anyway."""
ENDINGS = "com|org|net|io|ai|app|dev|edu|gov|info|biz|co|eu|uk|de|fr|es|it|nl|ch|at|jp|cn|in|br|us"

_ALPHABET = r"[\p{Latin}\p{Cyrillic}\p{Greek}]"
_INVISIBLE_GAP = regex.compile(rf"(?<={_ALPHABET})\p{{DI}}+(?={_ALPHABET})|\u200b")
_INVISIBLE = regex.compile(r"\p{DI}")
_MARK = regex.compile(r"\p{M}")
_VOWEL = regex.compile(r"[aeiouyøœæıəɛɔ]", regex.IGNORECASE)
_CAPITAL, _SMALL = regex.compile(r"\p{Lu}"), regex.compile(r"\p{Ll}")
_CHUNK = regex.compile(r"\S+|\s+")
_WEB = regex.compile(r"https?://|www\.", regex.IGNORECASE)
_MAIL = regex.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HOST = regex.compile(rf"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{ENDINGS})", regex.IGNORECASE)
_EMOJI_TAIL = regex.compile(
    r"(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d\p{Extended_Pictographic}|\p{Emoji_Modifier}"
)


def _word_of(characters: str) -> str:
    capital, small = rf"[[{characters}]&&\p{{Lu}}]", rf"[[{characters}]--\p{{Lu}}]"
    ending = rf"['’ʼ] {small}{{1,2}} (?! {small} )"
    return rf"(?: {capital}+ (?! {small} ) | {capital}? {small} [{small}\p{{M}}]* ) (?: {ending} )?"


_ALPHABETS = (writing.LATIN, writing.CYRILLIC, writing.GREEK)
_TOKEN = regex.compile(
    "|".join(
        [
            r"(?P<space> [^\S\n]+ )",
            *(f"(?P<{name}> {_word_of(writing.CLASSES[name])} )" for name in _ALPHABETS),
            r"(?P<number> \p{Nd}+ (?: [.,'’٫٬] \p{Nd}+ )* )",
            r"(?P<line> \n \s* )",
            r"(?P<comma> [,;:،؛、፣]+ )",
            r"(?P<sentence> [.!?؟。।॥։።]+ )",
            *(
                f"(?P<{name.replace(' ', '_')}> [{characters}][{characters}\\p{{M}}]* )"
                for name, characters in writing.CLASSES.items()
                if name not in _ALPHABETS
            ),
            r"(?P<letters> [\p{L}\p{M}]+ )",
            r"(?P<emoji> \p{Emoji_Presentation} | [\p{Extended_Pictographic}--[\p{P}\p{Nd}]] )",
            r"(?P<symbol> (?P<sign> [@\#%&+=°§\p{Sc}] ) (?P=sign)* )",
            r"(?P<ornament> (?P<mark> [*/\\_\p{S}\p{Co}\p{N}] ) (?P=mark)* )",
            r"(?P<touch> \p{P}+ )",
            r"(?P<nothing> . )",
        ]
    ),
    regex.VERBOSE | regex.DOTALL | regex.V1,
)
_SIGNS = {
    "space": (0.0, 0.0),
    "nothing": (0.0, 0.0),
    "line": (rates.LINE, rates.LINE),
    "comma": (rates.COMMA, rates.COMMA),
    "emoji": (rates.EMOJI, rates.EMOJI_AT_MOST),
    "symbol": (rates.SYMBOL, rates.SYMBOL_AT_MOST),
    "ornament": (rates.ORNAMENT, rates.ORNAMENT_AT_MOST),
    "touch": (rates.TOUCH, rates.TOUCH_AT_MOST),
}
_IN_WORD = (rates.TOUCH, rates.NAMED)
_SENTENCE = (rates.SENTENCE, rates.NAMED)
_IN_ADDRESS = (rates.IN_ADDRESS, rates.NAMED)
_SCRIPT_OF = {name.replace(" ", "_"): name for name in writing.CLASSES} | {"letters": writing.OTHER}

Seconds = tuple[float, float]
"""Expected, and at most."""


@dataclass(frozen=True)
class Length:
    expected: float
    at_most: float


@dataclass(frozen=True)
class Reader:
    language: str | None
    reads: Set[str] | None
    in_capitals: bool

    def is_foreign(self, script: str) -> bool:
        """False for Latin letters: names and brands are written in them everywhere."""
        return self.reads is not None and script != writing.LATIN and script not in self.reads


def length_of(script: str, *, speed: float = 1.0, language: str = "") -> Length:
    """`language`: the voice's, as HeyGen names it; empty or "Multilingual" reads everything."""
    pauses = sum(min(float(seconds), MAX_PAUSE_SECONDS) for seconds in markup.pauses_of(script))
    expected, at_most = _spoken(markup.without_pauses(script), language)
    around = pauses + LEAD_SECONDS
    return Length(expected / speed + around, at_most / speed + around)


@lru_cache(64)
def _spoken(text: str, language: str) -> Seconds:
    """At normal speed, without pauses. Cached, as quotes and batches measure one text several times."""
    plain = _EMOJI_TAIL.sub("", unicodedata.normalize("NFKC", text))
    plain = _INVISIBLE.sub("", _INVISIBLE_GAP.sub(" ", plain))
    small, capitals = len(_SMALL.findall(plain)), len(_CAPITAL.findall(plain))
    reader = Reader(writing.name_of(language), writing.scripts_of(language), capitals > small)
    expected = at_most = 0.0
    for one, most in _parts(plain, reader):
        expected += one
        at_most += most
    return expected, at_most


def _parts(plain: str, reader: Reader) -> Iterator[Seconds]:
    for chunk in _CHUNK.findall(plain):
        at = _address_in(chunk)
        for match in _TOKEN.finditer(chunk):
            kind = match.lastgroup or "nothing"
            if kind in _SCRIPT_OF:
                yield _word(match[0], _SCRIPT_OF[kind], reader)
            elif kind == "number":
                yield _number(match[0])
            elif match.start() >= at:
                yield _IN_ADDRESS
            elif kind == "sentence":
                yield _SENTENCE if match.end() == len(chunk) else _IN_WORD
            else:
                yield _SIGNS[kind]


def _address_in(chunk: str) -> int:
    if "." not in chunk:
        return len(chunk)
    if web := _WEB.search(chunk):
        return int(web.start())
    bare = chunk.strip(".,;:!?()[]\"'“”‘’«»<>")
    is_address = (_MAIL if "@" in bare else _HOST).fullmatch(bare.partition("/")[0])
    return chunk.index(bare) if is_address else len(chunk)


def _word(word: str, script: str, reader: Reader) -> Seconds:
    marks = 0 if word.isascii() else len(_MARK.findall(word))
    letters = len(word) - marks
    rate = rates.RATES[script]
    pace = rates.SLOWER.get(reader.language or "", 1.0)
    expected = max(rate.word + (letters * rate.letter + marks * rate.mark) * pace, letters / rates.FLOOR)
    if script == writing.LATIN and _is_spelled(word, letters, reader):
        expected = max(expected, letters * rates.SPELLED)
    at_most = expected
    if letters > rates.MAX_WORD_LENGTH and rate.word:
        at_most = max(at_most, letters * 2 / rates.FLOOR)
    if reader.is_foreign(script):
        at_most = max(at_most, (letters + marks) * rate.foreign)
    elif script == writing.LATIN and not word.isascii() and reader.reads and reader.language != writing.VIETNAMESE:
        at_most += len(writing.VIETNAMESE_LETTER.findall(word)) * rates.FOREIGN_ACCENT
    return expected, at_most


def _is_spelled(word: str, letters: int, reader: Reader) -> bool:
    if not 2 <= letters <= rates.MAX_ABBREVIATION_LENGTH:
        return False
    if not _VOWEL.search(word if word.isascii() else unicodedata.normalize("NFD", word)):
        return True
    return word.isupper() and letters <= rates.MAX_SPELLED_LENGTH and not reader.in_capitals


def _number(number: str) -> Seconds:
    digits = sum(character.isdigit() for character in number)
    expected = digits * rates.DIGIT
    points = number.count(".") * rates.SYMBOL
    at_most = expected if digits > rates.MAX_NUMBER_DIGITS else digits * rates.DIGIT_AT_MOST
    return expected + points, at_most + points
