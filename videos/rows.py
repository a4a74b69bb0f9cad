"""Rows of variables for one script: read from CSV as people really save it, and put into the script's `{{variables}}`.

Pure text work: nothing here knows the database or the API.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MOST_COLUMNS = 50
NO_NAME = "is no column name: letters, digits and _, at most 64, no digit first."
MOST_VALUE = 5000
"""Characters of one cell: more cannot be spoken anyway."""
LONGEST_SHOWN = 80
"""Characters of a wrong column name that a report repeats."""
WHOLE_ROW = ""
"""Stands for the column where a row as a whole is wrong."""
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
    """What was given, with `wrong` naming what cannot be used of it, so that one report tells it all."""

    columns: list[str]
    rows: list[Row]
    lines: list[int]
    """The line of the file on which each row begins, from 1; empty where the rows came as JSON."""
    wrong: dict[int, dict[str, str]] = field(default_factory=dict)
    """By the row's index: column (or `WHOLE_ROW`) to message."""

    @property
    def is_unreadable(self) -> bool:
        """No row of it names a column."""
        return bool(self.wrong) and not self.columns


def read_csv(content: bytes, *, most_rows: int) -> Table:
    """Rows of a CSV: UTF-8 or UTF-16, separated by comma, semicolon or tab, quoted or not. Raises BadTable."""
    text = _decode(content)
    records = _records(text)
    _, header = next(records, (0, []))
    table = Table(_checked_header(header), [], [])
    for line, cells in records:
        if len(table.rows) == most_rows:
            raise BadTable(f"There are more than {most_rows} rows.")
        wrong = _wrong_cells(table.columns, cells)
        if wrong:
            table.wrong[len(table.rows)] = wrong
        # A ragged row has been noted as wrong: what it is cut to does not matter.
        table.rows.append(dict(zip(table.columns, cells, strict=False)))
        table.lines.append(line)
    return table


def _wrong_cells(columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        return {WHOLE_ROW: f"Has {len(cells)} cells; the header has {len(columns)}."}
    given = zip(columns, cells, strict=True)
    return {name: problem for name, value in given if (problem := wrong_value(value))}


def wrong_value(value: str) -> str:
    """What is wrong with a cell, in words; empty when nothing is."""
    if "\x00" in value:
        return "Null characters are not allowed."
    return f"Is longer than {MOST_VALUE} characters." if len(value) > MOST_VALUE else ""


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
            raise BadTable(
                f"{name[:LONGEST_SHOWN]!r} is no column name: letters, digits and _, at most 64, no digit first."
            )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadTable(f"The column {twice} occurs more than once.")
    return names


def read_objects(given: list[object]) -> Table:
    """Rows that came as JSON. Raises BadTable."""
    read = [_read_row(row) for row in given]
    rows, wrong = [row for row, _ in read], {index: each for index, (_, each) in enumerate(read) if each}
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) > MOST_COLUMNS:
        raise BadTable(f"There are more than {MOST_COLUMNS} columns.")
    return Table(columns, rows, [], wrong)


def _read_row(row: object) -> tuple[Row, dict[str, str]]:
    """What can be used of it, and what is wrong with the rest."""
    if not isinstance(row, dict):
        return {}, {WHOLE_ROW: "Must be an object of texts."}
    wrong = {name[:LONGEST_SHOWN]: problem for name, value in row.items() if (problem := _wrong_pair(name, value))}
    return {name: value if isinstance(value, str) else "" for name, value in row.items()}, wrong


def _wrong_pair(name: str, value: object) -> str:
    if not NAME.fullmatch(name):
        return NO_NAME.capitalize()
    return wrong_value(value) if isinstance(value, str) else "Must be a text."


def variables_of(template: str) -> list[str]:
    """The names in a script, in the order they first occur. Raises BadTemplate for braces that are no variable."""
    rest = VARIABLE.sub(" ", template)
    for braces in ("{{", "}}"):
        if braces in rest:
            near = rest[max(0, rest.index(braces) - 10) :][:30]
            raise BadTemplate(f"{braces} near {near!r} is no variable: write {{{{name}}}}.")
    return list(dict.fromkeys(VARIABLE.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The script with each variable's value, verbatim: braces inside a value stay text."""
    return VARIABLE.sub(lambda match: values[match[1]], template)
