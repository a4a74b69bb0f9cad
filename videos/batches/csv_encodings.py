"""Decodes CSV files: uses the encoding that is named or certain, else ranks the likely ones.

Excel writes the code page of its Windows, Numbers and Excel for Mac also Mac Roman; none of them says so in the file.
The client has to confirm a ranked encoding.
"""

# ruff: noqa: RUF001 - signs that look alike are the data here

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from videos.batches.csv_alphabets import ALIASES, ALPHABETS, CANDIDATES, CODECS, Alphabet

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32le", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32be", "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16be", "utf-16-be"),
)
"""Byte order mark, our name, Python's name; longer marks first, since UTF-32's begins with UTF-16's."""
SAVE_AS = "Save it as “CSV UTF-8” and send that."
NO_TEXTS = (
    (b"PK\x03\x04", f"The file is a workbook (.xlsx, .ods or .numbers), not a CSV. {SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"The file is a workbook (.xls), not a CSV. {SAVE_AS}"),
    (b"%PDF", "The file is a PDF, not a CSV. Save the table itself as “CSV UTF-8” and send that."),
)
NOT_TEXT = f"The file holds control characters: it is not text. {SAVE_AS}"
UNKNOWN = f"The file is no text in an encoding known here. {SAVE_AS}"
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
WORD = re.compile(r"[^\s,;|\"]+")
SCORED_BYTES = 65_536
MAX_GUESSES = 4
MAX_PLAUSIBILITY_GAP = 0.35
FINAL_FORMS = "ךםןףץ"
MAX_EXCERPT = 30


class UnreadableText(Exception):
    """The bytes are not readable text; the message says what to do."""


class WrongEncoding(UnreadableText):
    """The encoding that was named does not fit the bytes."""


@dataclass(frozen=True)
class Reading:
    encoding: str
    text: str


@dataclass(frozen=True)
class Decoded:
    text: str
    encoding: str
    guesses: list[Reading] = field(default_factory=list)

    @property
    def alternatives(self) -> str:
        beyond = [[word for word in WORD.findall(guess.text) if not word.isascii()] for guess in self.guesses]
        together = list(zip(*beyond, strict=False))
        words = next((each for each in together if len(set(each)) == len(each)), together[0] if together else ())
        read = zip(self.guesses, words, strict=False)
        return ", ".join(f"{guess.encoding} (reads “{word[:MAX_EXCERPT]}”)" for guess, word in read)


def canonical_encoding(label: str) -> str | None:
    try:
        found = codecs.lookup(label.strip()).name
    except (LookupError, ValueError, UnicodeError):
        return None
    same = (name for name, codec in CODECS.items() if codecs.lookup(codec).name == found)
    return ALIASES.get(found) or next(same, None)


def decode(content: bytes, encoding: str | None = None) -> Decoded:
    """The text without its byte order mark. Raises UnreadableText; WrongEncoding where `encoding` does not fit."""
    for magic, words in NO_TEXTS:
        if content.startswith(magic):
            raise UnreadableText(words)
    decoded = _marked(content, encoding) or (_named(content, encoding) if encoding else _recognised(content))
    if CONTROL.search(decoded.text.replace("\x85", "")):
        raise UnreadableText(NOT_TEXT)
    return decoded


def _marked(content: bytes, named: str | None) -> Decoded | None:
    mark, found, codec = next((each for each in MARKS if content.startswith(each[0])), (b"", "", ""))
    if not mark:
        return None
    if named and named != found and not (named == "utf-16" and found.startswith("utf-16")):
        raise WrongEncoding(f"The file begins with the mark of {found}: give that, or leave `encoding` out.")
    try:
        return Decoded(content.removeprefix(mark).decode(codec).lstrip("\ufeff"), found)
    except UnicodeDecodeError as error:
        raise UnreadableText(_broken(content.removeprefix(mark), error, found)) from None


def _named(content: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(content.decode(CODECS[encoding]), encoding)
    except UnicodeDecodeError as error:
        likely = _likely(content)
        hint = f" It may be {likely.alternatives}." if likely else ""
        raise WrongEncoding(_broken(content, error, encoding) + hint) from None


def _broken(content: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
    return f"Line {line} is not {encoding}: byte 0x{content[error.start]:02x}."


def _recognised(content: bytes) -> Decoded:
    """UTF-8 and UTF-16 can be proven; everything else is ranked."""
    if proven := _utf16_by_zeros(content):
        return proven
    try:
        return Decoded(content.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        if _is_nearly_utf8(content):
            raise UnreadableText(f"{_broken(content, error, 'utf-8')} The rest of the file is. {SAVE_AS}") from None
    if likely := _likely(content):
        return likely
    raise UnreadableText(
        NOT_TEXT if b"\x00" in content else f"The file is no text in an encoding known here. {SAVE_AS}"
    )


def _utf16_by_zeros(content: bytes) -> Decoded | None:
    """UTF-16 without a mark: ASCII letters have a zero byte on always the same side."""
    sides = [content[side::2].count(0) for side in (0, 1)]
    if not any(sides) or all(sides) or len(content) % 2:
        return None
    name, codec = ("utf-16be", "utf-16-be") if sides[0] else ("utf-16le", "utf-16-le")
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        return None
    return Decoded(text, name) if re.search(r"[\r\n]", text) else None


def _is_nearly_utf8(content: bytes) -> bool:
    """Multi-byte characters hardly ever fit UTF-8 by chance: where most do, the others are damage."""
    beyond = [char for char in content.decode("utf-8", "replace") if not char.isascii()]
    return len(beyond) >= 4 and beyond.count("\ufffd") * 4 <= len(beyond)


def _likely(content: bytes) -> Decoded | None:
    ranked: list[tuple[tuple[float, float], Reading]] = []
    for name in _in_order(content):
        reading = _reading(content, name)
        if reading and all(reading.text != other.text for _, other in ranked):
            ranked.append((plausibility(_scored_part(reading.text), ALPHABETS[name]), reading))
    ranked.sort(key=lambda each: each[0], reverse=True)
    guesses = [reading for fit, reading in ranked[:MAX_GUESSES] if fit[0] >= ranked[0][0][0] - MAX_PLAUSIBILITY_GAP]
    return Decoded(guesses[0].text, guesses[0].encoding, guesses) if guesses else None


def _in_order(content: bytes) -> list[str]:
    """The more usual candidates first. Only old Mac formats end lines with a bare carriage return."""
    is_mac = b"\r" in content and b"\n" not in content
    return sorted(CANDIDATES, key=lambda name: is_mac and name != "macintosh")


def _reading(content: bytes, name: str) -> Reading | None:
    try:
        text = content.decode(CODECS[name])
    except UnicodeDecodeError:
        return None
    return None if CONTROL.search(text) else Reading(name, text)


def _scored_part(text: str) -> str:
    lines = [line for line in re.split(r"[\r\n]+", text) if not line.isascii()]
    return "\n".join(lines)[:SCORED_BYTES]


def plausibility(text: str, alphabet: Alphabet) -> tuple[float, float]:
    words = set(WORD.findall(text))
    judged = [each for word in words if not word.isascii() for each in _fitting(word, alphabet)]
    total = sum(weight for _, weight, _ in judged)
    if not total:
        return 1.0, 1.0
    fit = sum(weight for _, weight, is_fit in judged if is_fit)
    return fit / total, alphabet.language_share({char for char, _, _ in judged if char.isalpha()})


def _fitting(word: str, alphabet: Alphabet) -> Iterator[tuple[str, int, bool]]:
    letters = [char for char in word if char.isalpha()]
    is_foreign = alphabet.is_latin and len(letters) > 1 and not any(char.isascii() for char in letters)
    for index, char in enumerate(word):
        if char.isascii():
            continue
        before, after = word[index - 1 : index], word[index + 1 : index + 2]
        fits = not is_foreign and alphabet.expects(char) and _fits(before, char, after, alphabet)
        yield char, alphabet.weight(char), fits


def _fits(before: str, char: str, after: str, alphabet: Alphabet) -> bool:
    if unicodedata.category(char)[0] not in "LM":
        return _is_sign_in_position(before, char, after)
    if not alphabet.is_latin and any(each.isascii() and each.isalpha() for each in (before, after)):
        return False
    if char in FINAL_FORMS and after.isalpha():
        return False
    return not (char.isupper() and before.isalpha() and (before.islower() or after.islower()))


def _is_sign_in_position(before: str, char: str, after: str) -> bool:
    """A sign that touches letters is a letter of another encoding, except apostrophes and quotation marks."""
    if char in "’ªº":
        return True
    is_symbol = unicodedata.category(char)[0] == "S"
    if is_symbol or char in "‚„":
        return not before.isalpha() and not (is_symbol and after.isalpha())
    return not (before.isalpha() and after.isalpha())
