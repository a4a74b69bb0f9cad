"""Warnings about scripts that are permitted but probably not meant."""

import math
from decimal import Decimal
from typing import TypedDict

from videos.speech import markup, writing
from videos.speech.length import Length

FOREIGN_SHARE, LATIN_SHARE = 0.2, 0.5
FOREIGN_ACCENTS = 3
WARNED_FACTOR = Decimal("1.25")
TITLES = {writing.HAN: "Chinese characters", writing.KANA: "kana", writing.OTHER: "letters of another script"}


class Warned(TypedDict):
    code: str
    message: str
    field: str


def warnings_for(script: str, *, language: str, length: Length, usual_seconds: Decimal) -> list[Warned]:
    """`language`: the voice's. `usual_seconds`: the estimate with its margin."""
    found: list[Warned] = []
    if written := foreign_writing(script, language):
        message = f"This voice speaks {language}, and the script has {written}: it may spell or skip them."
        found.append({"code": "voice_script_mismatch", "message": message, "field": "voice_id"})
    if length.at_most > usual_seconds * WARNED_FACTOR:
        message = (
            "Nobody can foresee how a voice reads parts of this script, so credits are set aside for up to "
            f"{math.ceil(length.at_most)} seconds. What it does not use comes back."
        )
        found.append({"code": "uncertain_length", "message": message, "field": "script"})
    return found


def foreign_writing(script: str, language: str) -> str:
    reads = writing.scripts_of(language)
    if reads is None:
        return ""
    text = markup.without_pauses(script)
    counts = writing.letters_by_script(text)
    total = counts.total()
    foreign = [(name, count) for name, count in counts.most_common() if name not in reads and name != writing.LATIN]
    if foreign and sum(count for _, count in foreign) >= FOREIGN_SHARE * total:
        name = foreign[0][0]
        return TITLES.get(name, f"{name.title()} letters")
    if writing.LATIN not in reads and counts[writing.LATIN] > LATIN_SHARE * total:
        return "mostly Latin letters"
    if writing.LATIN in reads and writing.name_of(language) != writing.VIETNAMESE:
        return "Vietnamese letters" if len(writing.VIETNAMESE_LETTER.findall(text)) >= FOREIGN_ACCENTS else ""
    return ""
