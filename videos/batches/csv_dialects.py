"""What separates the cells of a CSV: said by Excel's `sep=` line, or seen in the header and the first rows."""

import csv
import io
import re
from dataclasses import dataclass

SEPARATORS = ",;\t|"
WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SEP_LINE = re.compile(r"\"?sep=([^\w\s\"]|\t)\"?[,;\t|]*(\r\n|\r|\n)", re.IGNORECASE)
LINE_END = re.compile(r"\r\n|\r|\n")
LOOKED_AT = 50
"""Rows that decide where the header does not."""


@dataclass(frozen=True)
class Dialect:
    separator: str
    begins: int = 0
    """Where the header begins in the text."""
    lines_before: int = 0
    """Lines of the file that stand above it."""

    @property
    def separator_name(self) -> str:
        return WORDS.get(self.separator, self.separator)


def dialect_of(text: str) -> Dialect:
    """Of the whole file. What is no CSV has some dialect, too: reading it says what is wrong."""
    if said := SEP_LINE.match(text):
        return Dialect(said[1], said.end(), 1)
    header = next((line for line in LINE_END.split(text) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", header)
    used = [separator for separator in SEPARATORS if separator in bare]
    if len(used) == 1:
        return Dialect(used[0])
    # Several, or none: a column alone, whose cells may hold a comma where the semicolon separates.
    return Dialect(min(used or SEPARATORS, key=lambda each: (_ragged_rows(text, each), -bare.count(each))))


def _ragged_rows(text: str, separator: str) -> int:
    """How many of the first rows have more or fewer cells than the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        widths = [len(cells) for _, cells in zip(range(LOOKED_AT), reader, strict=False) if any(cells)]
    except csv.Error:
        return LOOKED_AT
    return sum(width != widths[0] for width in widths)
