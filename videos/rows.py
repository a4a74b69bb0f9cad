"""Rows of variables for one script: read from CSV as people really save it, and put into the script's `{{variables}}`.

Pure text work: nothing here knows the database or the API.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_COLUMNS = 50
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")
SEPARATORS = ",;\t"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

Row = dict[str, str]


class BadTable(Exception):
    """The file as a whole cannot be read as rows; the message says why."""


class BadTemplate(Exception):
    """The script has braces that are no variable; the message says which."""


@dataclass(frozen=True)
class Table:
    """`lines[n]` is the line of the file on which row n begins, from 1; empty where the rows came as JSON."""

    columns: list[str]
    rows: list[Row]
    lines: list[int]


# ── Reading


def read_csv(content: bytes, *, most_rows: int) -> Table:
    """Rows of a CSV: UTF-8 or UTF-16, separated by comma, semicolon or tab, quoted or not. Raises BadTable."""
    text = _decode(content)
    records = _records(text)
    _, header = next(records, (0, []))
    columns = _checked_header(header)
    rows: list[Row] = []
    lines: list[int] = []
    for line, cells in records:
        if len(rows) == most_rows:
            raise BadTable(f"There are more than {most_rows} rows.")
        if len(cells) != len(columns):
            raise BadTable(f"Line {line} has {len(cells)} cells; the header has {len(columns)}.")
        rows.append(dict(zip(columns, cells, strict=True)))
        lines.append(line)
    return Table(columns, rows, lines)


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith(UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise BadTable("The file is neither UTF-8 nor UTF-16 text.") from None
    if "\x00" in text:
        raise BadTable("The file holds null characters: it is not text.")
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins on; lines with nothing in them are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    begins = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield begins, stripped
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadTable(f"Line {reader.line_num} cannot be read: {error}.") from None


def _separator(text: str) -> str:
    """The one that the header uses most, quoted parts left aside."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def _checked_header(names: list[str]) -> list[str]:
    if not names:
        raise BadTable("The file is empty: its first line names the columns.")
    if len(names) > MOST_COLUMNS:
        raise BadTable(f"There are more than {MOST_COLUMNS} columns.")
    for name in names:
        if not NAME.fullmatch(name):
            raise BadTable(f"{name!r} is no column name: letters, digits and _, at most 64, no digit first.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadTable(f"The column {twice} occurs more than once.")
    return names


# ── Filling


def variables_of(template: str) -> list[str]:
    """The names in a script, in the order they first occur. Raises BadTemplate for braces that are no variable."""
    rest = VARIABLE.sub("", template)
    for braces in ("{{", "}}"):
        if braces in rest:
            near = rest[max(0, rest.index(braces) - 10) :][:30]
            raise BadTemplate(f"{braces} near {near!r} is no variable: write {{{{name}}}}.")
    return list(dict.fromkeys(VARIABLE.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The script with each variable's value, verbatim: braces inside a value stay text."""
    return VARIABLE.sub(lambda match: values[match[1]], template)
