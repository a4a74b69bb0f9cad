"""How fast voices speak, in seconds at normal speed.

English follows HeyGen's own figure, 150 words a minute. The others were fitted to passages of the same content spoken
by a synthesiser in each language, scaled like its English (`videos/tests/spoken_lengths.json`).
"""

from dataclasses import dataclass

from videos.speech import writing

FLOOR = 14.0
"""Letters per second that no voice exceeds for long."""
MAX_WORD_LENGTH = 40
"""A longer text without spaces is no word: a voice may spell it, so its length is uncertain."""
SPELLED = 0.27
MAX_ABBREVIATION_LENGTH, MAX_SPELLED_LENGTH = 6, 4
FOREIGN = 0.8
"""Maximum seconds for a character that a voice cannot read, when it names each one."""
FOREIGN_SYLLABLE = 2.0

FOREIGN_ACCENT = 0.95
"""Maximum for a Vietnamese letter that other voices name with its accents."""

DIGIT, MAX_NUMBER_DIGITS = 0.33, 12
DIGIT_AT_MOST = 0.6


@dataclass(frozen=True)
class Rate:
    word: float
    letter: float
    mark: float = 0.0
    foreign: float = FOREIGN


ALPHABET = Rate(0.16, 0.048)
INDIC = Rate(0.16, 0.08, 0.03)
UNSPACED = Rate(0.0, 0.15, 0.03)
UNKNOWN = Rate(0.16, 0.1)
RATES = {
    **dict.fromkeys(writing.CLASSES, INDIC),
    **dict.fromkeys(("thai", "lao", "khmer", "myanmar", "tibetan"), UNSPACED),
    writing.LATIN: ALPHABET,
    **dict.fromkeys((writing.CYRILLIC, writing.GREEK), Rate(0.16, 0.048, foreign=0.45)),
    **dict.fromkeys(("georgian", "armenian"), Rate(0.16, 0.06)),
    writing.ARABIC: Rate(0.16, 0.09),
    writing.HEBREW: Rate(0.16, 0.085),
    writing.HAN: Rate(0.0, 0.23),
    writing.KANA: Rate(0.0, 0.15),
    writing.HANGUL: Rate(0.0, 0.21),
    "ethiopic": Rate(0.0, 0.17, foreign=FOREIGN_SYLLABLE),
    writing.OTHER: UNKNOWN,
}

SLOWER = {"turkish": 1.15, "polish": 1.1, "finnish": 1.1}
"""Languages that take longer for their letters than others of their alphabet."""

SENTENCE, COMMA, TOUCH, LINE = 0.25, 0.12, 0.06, 0.1
TOUCH_AT_MOST = 0.15
NAMED = 0.45
"""Maximum for punctuation that a voice may name: "dot", "slash", "underscore"."""
SYMBOL, SYMBOL_AT_MOST = 0.35, 0.6
ORNAMENT, ORNAMENT_AT_MOST = 0.1, 0.8
EMOJI, EMOJI_AT_MOST = 0.0, 0.9
IN_ADDRESS = 0.3
