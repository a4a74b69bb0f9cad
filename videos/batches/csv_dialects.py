"""Finds the separator of a CSV: from Excel's `sep=` line, the header, or the first rows."""

import csv
import io
import re
from dataclasses import dataclass

SEPARATORS = ",;\t|"
WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SEP_LINE = re.compile(r"\"?sep=([^\w\s\"]|\t)\"?[,;\t|]*(\r\n|\r|\n)", re.IGNORECASE)
LINE_END = re.compile(r"\r\n|\r|\n")
SAMPLED_ROWS = 50


@dataclass(frozen=True)
class Dialect:
    separator: str
    begins: int = 0
    lines_before: int = 0

    @property
    def separator_name(self) -> str:
        return WORDS.get(self.separator, self.separator)


def dialect_of(text: str) -> Dialect:
    """Always some dialect: reading a text that is no CSV reports the errors."""
    if said := SEP_LINE.match(text):
        return Dialect(said[1], said.end(), 1)
    header = next((line for line in LINE_END.split(text) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", header)
    used = [separator for separator in SEPARATORS if separator in bare]
    if len(used) == 1:
        return Dialect(used[0])
    # Several separators in the header, or none (a single column): compare the rows.
    return Dialect(min(used or SEPARATORS, key=lambda each: (_ragged_rows(text, each), -bare.count(each))))


def _ragged_rows(text: str, separator: str) -> int:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        widths = [len(cells) for _, cells in zip(range(SAMPLED_ROWS), reader, strict=False) if any(cells)]
    except csv.Error:
        return SAMPLED_ROWS
    return sum(width != widths[0] for width in widths)
